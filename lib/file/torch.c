/*
 * torch.c - files of torch.save: the pickle, and the bytes of the storages beside it. Facts:
 * torch's serialization.py, in all three layouts.
 *
 * What stands for a storage in the pickle is a persistent id. Those that were read are noted, and
 * get their bytes, a PICKLE_CHANGE_PAYLOAD, when these are found. Keys are looked up in dicts of
 * the document, which no hostile choice of keys makes slow.
 */
#include "file/torch.h"

#include "base/number.h"
#include "file/hooks.h"
#include "types/torch.h"

/* Why something could not be read goes to in->vm.err. */
struct pickle__torch {
    pickle_doc *doc;
    pickle__input *in;
    pickle_val **refs; /* persistent ids in the order of the pickle */
    size_t n_refs, room;
    pickle_val *storages; /* dict: key -> bytes; of a tar, what stands for storages and tensors */
    bool big_endian;
};

typedef struct pickle__torch torch;

static bool bad(torch *t, const char *what)
{
    return pickle__vm_fail(&t->in->vm, PICKLE_ERR_VALUE, "%s", what);
}

static bool no_memory(torch *t)
{
    return pickle__vm_no_memory(&t->in->vm);
}

/* -------------------------------------------------------------------- files */

static bool begin(torch *t, pickle_doc *doc, pickle_error *err)
{
    *t = (torch){ .doc = doc, .in = doc->owned };
    pickle__vm_start(&t->in->vm, &t->in->src, &t->in->set, NULL, err);
    t->storages = pickle__new_table(doc, PICKLE_DICT);
    t->in->torch = t;
    return t->storages || no_memory(t);
}

static bool end(torch *t, bool ok, const char *name, pickle_error *err)
{
    pickle_doc *doc = t->doc;

    pickle__free(doc->alloc, t->refs, t->room * sizeof *t->refs);
    t->in->torch = NULL;
    pickle__vm_start(&t->in->vm, &t->in->src, &t->in->set, NULL, err);
    if (!ok)
        doc->root = NULL;
    doc->consumed = pickle__source_offset(&t->in->src);
    return ok && pickle__name_container(doc, name, err);
}

/* The next pickle of `src`, which has a memo of its own. NULL: failed. */
static pickle_val *read_from(torch *t, pickle__source *src)
{
    pickle__vm *vm = &t->in->vm;

    pickle__vm_memo_clear(vm);
    return pickle__vm_run(vm, src, &t->in->set, &pickle__file_hooks, vm->err);
}

/* The next bytes of the machine's source as a value; NULL: failed. */
static pickle_val *take_bytes(torch *t, uint64_t size)
{
    const unsigned char *data = pickle__vm_take_payload(&t->in->vm, size);
    pickle_val *v = data ? pickle__new_bytes(t->doc, PICKLE_BYTES, data, (size_t)size) : NULL;

    if (data && !v)
        no_memory(t);
    return v;
}

/* The member with the pickle takes the place of the input. */
static bool read_root(torch *t, const pickle__archive *archive, const pickle__member *member,
                      pickle__quota *left, pickle_error *err)
{
    pickle__input *in = t->in;
    pickle__source src;

    if (!pickle__member_check(archive, member, err) ||
        !pickle__member_open(archive, member, left, t->doc->alloc, &src, err))
        return false;
    pickle__source_close(&in->src);
    in->src = src;
    in->in_archive = true;
    return pickle__read_pickle(t->doc, err);
}

/* ------------------------------------------------------------------ storages */

static bool is_key(const pickle_val *v)
{
    pickle_kind kind = pickle_kind_of(v);

    return kind == PICKLE_STR || kind == PICKLE_BYTES || kind == PICKLE_INT;
}

/* Looking and putting may alternate: what grows is the dict's index, too. */
static bool put(torch *t, pickle_val *dict, pickle_val *key, pickle_val *value)
{
    pickle_val *item[] = { key, value };
    pickle_val *const *found;

    if (!pickle__table_settle(dict))
        return no_memory(t);
    found = pickle__table_find(dict, key);
    if (!found)
        return pickle__table_append(t->doc, dict, item) || no_memory(t);
    ((pickle_val **)(uintptr_t)found)[1] = value;
    return true;
}

bool pickle__torch_persid(pickle__vm *vm, pickle_val *ref)
{
    const pickle__input *in = vm->doc->owned;
    torch *t = in->torch;

    if (!t)
        return true;
    if (t->n_refs == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        pickle_val **refs =
            pickle__realloc(t->doc->alloc, t->refs, t->room * sizeof *refs, room * sizeof *refs);

        if (!refs)
            return pickle__vm_no_memory(vm);
        t->refs = refs;
        t->room = room;
    }
    t->refs[t->n_refs++] = ref;
    return true;
}

/* Elements `offset` and following of a storage; NULL: it has not as many, or there is no memory. */
static pickle_val *slice(torch *t, const pickle_val *bytes, const pickle__storage_id *id)
{
    uint64_t size = id->dtype->size, most = pickle__len(bytes) / size;
    pickle_val *v;

    if (id->view_offset > most || id->view_numel > most - id->view_offset) {
        bad(t, "a part of a storage lies beyond its end");
        return NULL;
    }
    v = pickle__new_bytes(t->doc, PICKLE_BYTES,
                          PICKLE__AS_CONST(pickle__bytes, bytes)->data +
                              (size_t)(id->view_offset * size),
                          (size_t)(id->view_numel * size));
    if (!v)
        no_memory(t);
    return v;
}

static bool attach(torch *t, pickle_val *ref, pickle_val *bytes, const pickle__storage_id *id)
{
    if (id->is_view)
        bytes = slice(t, bytes, id);
    if (!bytes)
        return false;
    if (t->big_endian)
        ref->tag |= PICKLE__BIG_ENDIAN;
    return pickle__add_change(t->doc, ref, PICKLE_CHANGE_PAYLOAD, bytes) || no_memory(t);
}

/* A storage that is not in the file stays without bytes. */
static bool attach_all(torch *t)
{
    pickle__storage_id id;

    for (size_t i = 0; i < t->n_refs; i++) {
        pickle_val *ref = t->refs[i];
        const pickle_val *bytes;

        if (!pickle__read_storage_id(ref, &id) || !is_key(id.key))
            continue;
        bytes = pickle_get_val(t->storages, id.key);
        if (bytes && !attach(t, ref, pickle__mutable(bytes), &id))
            return false;
    }
    return true;
}

/* ----------------------------------------------------------------------- zip */

typedef struct zip {
    torch *t;
    const pickle__archive *archive;
    const char *top; /* the folder of data.pkl, with its slash */
    size_t top_len;
    bool script;
    pickle__quota left;
} zip;

/* The name within the folder; NULL: it stands elsewhere. */
static const char *inner_name(const zip *z, const pickle__member *m, size_t *len)
{
    if (m->name_len < z->top_len || memcmp(m->name, z->top, z->top_len) != 0)
        return NULL;
    *len = m->name_len - z->top_len;
    return m->name + z->top_len;
}

static bool starts(const char *name, size_t len, const char *with)
{
    return len > strlen(with) && memcmp(name, with, strlen(with)) == 0;
}

static pickle_val *read_member(zip *z, const pickle__member *m)
{
    torch *t = z->t;
    pickle__vm *vm = &t->in->vm;
    pickle__source src;
    pickle_val *v;

    if (!pickle__member_open(z->archive, m, &z->left, t->doc->alloc, &src, vm->err))
        return NULL;
    pickle__vm_start(vm, &src, &t->in->set, NULL, vm->err);
    v = take_bytes(t, m->size);
    /* Reading to the end is what checks the checksum. */
    if (v && src.reader && !pickle__source_need(&src, 1) && src.status != PICKLE_OK) {
        pickle__vm_truncated(vm);
        v = NULL;
    }
    pickle__member_close(&src, &z->left);
    return v;
}

static bool read_byteorder(zip *z, const pickle__member *m)
{
    const pickle_val *v = m->size < 16 ? read_member(z, m) : NULL;
    size_t len = 0;
    const void *word = pickle_bytes(v, &len);

    if (m->size < 16 && !v)
        return false;
    z->t->big_endian = len == 3 && memcmp(word, "big", 3) == 0;
    return z->t->big_endian || (len == 6 && memcmp(word, "little", 6) == 0) ||
           bad(z->t, "the file's byte order is neither little nor big");
}

/* The name may be no UTF-8: as a key it is only compared. */
static bool read_storage(zip *z, const pickle__member *m, const char *key, size_t len)
{
    pickle__str *s;
    pickle_val *bytes = read_member(z, m);

    if (!bytes)
        return false;
    s = pickle__new_str(z->t->doc, len);
    if (!s)
        return no_memory(z->t);
    memcpy(s->text, key, len);
    return put(z->t, z->t->storages, &s->v, bytes);
}

static bool read_beside(zip *z, const pickle__member *m)
{
    size_t len;
    const char *name = inner_name(z, m, &len);

    if (!name || m->kind != PICKLE__REGULAR)
        return true;
    z->script |=
        starts(name, len, "code/") || (len == 13 && memcmp(name, "constants.pkl", 13) == 0);
    if (len == 9 && memcmp(name, "byteorder", 9) == 0)
        return read_byteorder(z, m);
    return !starts(name, len, "data/") || read_storage(z, m, name + 5, len - 5);
}

static bool read_members(zip *z)
{
    pickle__archive a = *z->archive;
    pickle__member m;
    pickle_status status;

    while ((status = pickle__archive_next(&a, &m, z->t->in->vm.err)) == PICKLE_OK)
        if (!read_beside(z, &m))
            return false;
    return status == PICKLE_END;
}

bool pickle__read_torch_zip(pickle_doc *doc, const pickle__archive *archive,
                            const pickle__member *data_pkl, pickle_error *err)
{
    const pickle__input *in = doc->owned;
    torch t;
    zip z = { .t = &t,
              .archive = archive,
              .top = data_pkl->name,
              .left = pickle__archive_quota(in, archive) };
    bool ok;

    z.top_len = data_pkl->name_len - strlen("data.pkl");
    ok = begin(&t, doc, err) && read_members(&z) &&
         read_root(&t, archive, data_pkl, &z.left, err) && attach_all(&t);
    return end(&t, ok, z.script ? "torchscript" : "torch", err);
}

/* -------------------------------------------------------------------- legacy */

/* 0x1950a86a20f9469cfc6c, little-endian */
static const unsigned char magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };

bool pickle__is_torch_magic(const pickle_val *first)
{
    unsigned char bytes[sizeof magic];

    return pickle_int_bytes(first, bytes, sizeof bytes) == sizeof magic &&
           memcmp(bytes, magic, sizeof magic) == 0;
}

/* The dtype of a storage is told where the pickle names it for the first time. */
static pickle_val *find_roots(torch *t)
{
    pickle_val *roots = pickle__new_table(t->doc, PICKLE_DICT);
    pickle__storage_id id;

    if (!roots)
        no_memory(t);
    /* Of items with the same key a dict has the last. */
    for (size_t i = t->n_refs; roots && i-- > 0;)
        if (pickle__read_storage_id(t->refs[i], &id) && is_key(id.key) &&
            !put(t, roots, pickle__mutable(id.key), t->refs[i]))
            return NULL;
    return roots;
}

/* The number of elements, and the elements, always little-endian. NULL: failed. */
static pickle_val *read_elements(torch *t, unsigned size)
{
    pickle__vm *vm = &t->in->vm;
    uint64_t numel;

    if (pickle__source_left(vm->src) < 8 && !pickle__vm_refill(vm, 8))
        return NULL;
    numel = pickle__u64(vm->src->at);
    vm->src->at += 8;
    if (numel > INT64_MAX / size) {
        bad(t, "a storage has more than 2^63 bytes");
        return NULL;
    }
    return take_bytes(t, numel * size);
}

static bool read_storages(torch *t, const pickle_val *keys)
{
    pickle_val *roots = find_roots(t), *bytes;

    for (size_t i = 0; roots && i < pickle_len(keys); i++) {
        const pickle_val *key = pickle_at(keys, i);
        pickle__storage_id id;

        if (!is_key(key) || !pickle__read_storage_id(pickle_get_val(roots, key), &id))
            return bad(t, "the file has a storage that its pickle does not name");
        bytes = read_elements(t, id.dtype->size);
        if (!bytes)
            return false;
        if (pickle__len(bytes) != id.numel * id.dtype->size)
            return bad(t, "a storage is not as long as the pickle says");
        if (!put(t, t->storages, pickle__mutable(key), bytes))
            return false;
    }
    return roots != NULL;
}

/* Behind the magic number: the version, facts about the system, the value, the keys, the storages.
 */
static bool read_legacy(torch *t)
{
    pickle__source *src = &t->in->src;
    const pickle_val *version = read_from(t, src), *keys;

    if (!version || !read_from(t, src))
        return false;
    if (pickle_i64_or(version, 0) != 1001)
        return bad(t, "the file's version is not 1001");
    t->n_refs = 0;
    t->doc->root = read_from(t, src);
    t->doc->protocol = t->in->vm.proto;
    keys = t->doc->root ? read_from(t, src) : NULL;
    return keys && read_storages(t, keys) && attach_all(t);
}

bool pickle__read_torch_legacy(pickle_doc *doc, pickle_error *err)
{
    torch t;
    pickle__input *in = doc->owned;

    /* A number like any other. */
    if (!pickle__source_need(&in->src, 1))
        return true;
    return end(&t, begin(&t, doc, err) && read_legacy(&t), "torch-legacy", err);
}

/* ----------------------------------------------------------------------- tar */

/* Before torch 0.1.10: persistent ids are the numbers of storages and of tensors. */
typedef struct tar {
    const pickle__archive *archive;
    pickle__member storages, tensors, pickle;
} tar;

static bool find_members(tar *f, pickle_error *err)
{
    pickle__archive a = *f->archive;
    pickle__member m;
    pickle_status status;

    while ((status = pickle__archive_next(&a, &m, err)) == PICKLE_OK) {
        if (pickle__member_is(&m, "storages"))
            f->storages = m;
        else if (pickle__member_is(&m, "tensors"))
            f->tensors = m;
        else if (pickle__member_is(&m, "pickle"))
            f->pickle = m;
    }
    return status == PICKLE_END;
}

static pickle_val *new_tuple(torch *t, size_t n, pickle_val *const *items)
{
    pickle__tuple *tuple = pickle__new_tuple(t->doc, n);

    if (!tuple) {
        no_memory(t);
        return NULL;
    }
    memcpy(tuple->items, items, n * sizeof *items);
    return &tuple->v;
}

/* As torch names storages since: a persistent id with all there is to know. */
static pickle_val *new_storage(torch *t, pickle_val *const item[5], pickle_val *bytes)
{
    pickle__ref *ref = pickle__arena_take(&t->doc->arena, sizeof *ref);
    pickle_val *id = new_tuple(t, 5, item);

    if (!ref || !id) {
        no_memory(t);
        return NULL;
    }
    ref->s = (pickle__symbol){ .v.tag = PICKLE__TAG(PICKLE_PERSID, 0) };
    ref->id = id;
    if (pickle__add_change(t->doc, &ref->s.v, PICKLE_CHANGE_PAYLOAD, bytes))
        return &ref->s.v;
    no_memory(t);
    return NULL;
}

/* (key, location, class), and the elements. */
static bool read_tar_storage(torch *t, pickle_val *word, const pickle_val *v)
{
    pickle_val *key = pickle__mutable(pickle_at(v, 0));
    pickle_val *class = pickle__mutable(pickle_at(v, 2));
    const pickle__torch_dtype *dtype;
    pickle_val *bytes, *numel, *ref;
    bool untyped;

    dtype = pickle_kind_of(class) == PICKLE_GLOBAL ? pickle__torch_storage_dtype(class, &untyped)
                                                   : NULL;
    if (!dtype || !is_key(key))
        return bad(t, "a storage is of no known class");
    bytes = read_elements(t, dtype->size);
    if (!bytes)
        return false;
    numel = pickle__new_int(t->doc, (int64_t)(pickle__len(bytes) / dtype->size));
    if (!numel)
        return no_memory(t);
    ref = new_storage(
        t, (pickle_val *[]){ word, class, key, pickle__mutable(pickle_at(v, 1)), numel }, bytes);
    return ref && put(t, t->storages, key, ref);
}

/* (key, key of the whole, offset, elements) */
static bool read_tar_view(torch *t, const pickle_val *v)
{
    pickle_val *key = pickle__mutable(pickle_at(v, 0)), *numel = pickle__mutable(pickle_at(v, 3));
    const pickle_val *whole =
        is_key(pickle_at(v, 1)) ? pickle_get_val(t->storages, pickle_at(v, 1)) : NULL;
    pickle_val *const *of;
    pickle__storage_id id;
    pickle_change payload;
    pickle_val *bytes, *ref;

    if (!is_key(key) || !pickle__read_storage_id(whole, &id) ||
        !pickle_first_change(whole, &payload) ||
        !pickle_get_u64(pickle_at(v, 2), &id.view_offset) || !pickle_get_u64(numel, &id.view_numel))
        return bad(t, "a part of a storage makes no sense");
    of = PICKLE__AS_CONST(pickle__tuple, pickle_id(whole))->items;
    bytes = slice(t, payload.value, &id);
    ref = bytes ? new_storage(t, (pickle_val *[]){ of[0], of[1], key, of[3], numel }, bytes) : NULL;
    return ref && put(t, t->storages, key, ref);
}

/* How many of them follow. */
static bool read_count(torch *t, uint64_t *n)
{
    const pickle_val *v = read_from(t, t->in->vm.src);

    return v && (pickle_get_u64(v, n) || bad(t, "a count is no number from 0 up"));
}

static bool read_tar_storages(torch *t)
{
    pickle__source *src = t->in->vm.src;
    pickle__str *word = pickle__new_text(t->doc, "storage", 7);
    const pickle_val *v, *views;
    uint64_t n;

    if (!word)
        return no_memory(t);
    if (!read_count(t, &n))
        return false;
    for (; n > 0; n--) {
        v = read_from(t, src);
        if (!v || !read_tar_storage(t, &word->v, v))
            return false;
    }
    views = read_from(t, src);
    for (size_t i = 0; i < pickle_len(views); i++)
        if (!read_tar_view(t, pickle_at(views, i)))
            return false;
    return views != NULL;
}

/* `n` numbers of 8 bytes as a tuple; NULL: failed. */
static pickle_val *read_ints(torch *t, size_t n)
{
    pickle__source *src = t->in->vm.src;
    pickle_val *item[PICKLE_MAXDIMS];

    for (size_t i = 0; i < n; i++, src->at += 8) {
        item[i] = pickle__new_int(t->doc, (int64_t)pickle__u64(src->at));
        if (!item[i]) {
            no_memory(t);
            return NULL;
        }
    }
    return new_tuple(t, n, item);
}

/* (key, storage, class), then dimensions, size, stride and offset in binary: what stands for the
 * tensor is the state that torch's tensors had later: (storage, offset, size, stride). */
static bool read_tar_tensor(torch *t, const pickle_val *v)
{
    pickle__vm *vm = &t->in->vm;
    pickle_val *key = pickle__mutable(pickle_at(v, 0)), *item[4], *state;
    const pickle_val *storage = pickle_at(v, 1);
    uint32_t ndim;

    if (!is_key(key) || !is_key(storage))
        return bad(t, "a tensor has no key, or no storage");
    item[0] = pickle__mutable(pickle_get_val(t->storages, storage));
    if (pickle_kind_of(item[0]) != PICKLE_PERSID)
        return bad(t, "a tensor has a storage that the file has not");
    if (pickle__source_left(vm->src) < 16 && !pickle__vm_refill(vm, 16))
        return false;
    ndim = pickle__u32(vm->src->at);
    if (ndim > PICKLE_MAXDIMS)
        return bad(t, "a tensor has more than 64 dimensions");
    if (pickle__source_left(vm->src) < 16 + 16 * ndim && !pickle__vm_refill(vm, 16 + 16 * ndim))
        return false;
    vm->src->at += 8;
    item[2] = read_ints(t, ndim);
    item[3] = item[2] ? read_ints(t, ndim) : NULL;
    item[1] = item[3] ? pickle__new_int(t->doc, (int64_t)pickle__u64(vm->src->at)) : NULL;
    if (!item[1])
        return item[3] ? no_memory(t) : false;
    vm->src->at += 8;
    state = new_tuple(t, 4, item);
    return state && put(t, t->storages, key, state);
}

static bool read_tar_tensors(torch *t)
{
    uint64_t n;

    if (!read_count(t, &n))
        return false;
    for (; n > 0; n--) {
        const pickle_val *v = read_from(t, t->in->vm.src);

        if (!v || !read_tar_tensor(t, v))
            return false;
    }
    return true;
}

/* A number, or since that cannot be said in protocol 0, its text. */
static bool key_of(const pickle_val *id, int64_t *key)
{
    size_t len = pickle_len(id);
    const char *text = pickle_str(id);
    bool overflow = false;

    if (!text)
        return pickle_get_i64(id, key);
    return len > 0 && pickle__strtol((const unsigned char *)text, len, 10, key, &overflow) == len &&
           !overflow;
}

static bool attach_objects(torch *t)
{
    int64_t key;

    for (size_t i = 0; i < t->n_refs; i++) {
        const pickle_val *object =
            key_of(pickle_id(t->refs[i]), &key) ? pickle_get_int(t->storages, key) : NULL;

        if (object &&
            !pickle__add_change(t->doc, t->refs[i], PICKLE_CHANGE_NESTED, pickle__mutable(object)))
            return no_memory(t);
    }
    return true;
}

static bool read_within(torch *t, const tar *f, const pickle__member *m, bool (*read)(torch *t))
{
    pickle__vm *vm = &t->in->vm;
    pickle__source src;
    bool ok;

    if (!pickle__member_source(f->archive, m, t->doc->alloc, &src, vm->err))
        return false;
    pickle__vm_start(vm, &src, &t->in->set, NULL, vm->err);
    ok = read(t);
    pickle__source_close(&src);
    return ok;
}

bool pickle__read_torch_tar(pickle_doc *doc, const pickle__archive *archive, pickle_error *err)
{
    tar f = { .archive = archive };
    torch t;
    pickle__quota left = pickle__archive_quota(doc->owned, archive);
    bool ok = begin(&t, doc, err) && find_members(&f, err) &&
              read_within(&t, &f, &f.storages, read_tar_storages) &&
              read_within(&t, &f, &f.tensors, read_tar_tensors);

    t.n_refs = 0;
    ok = ok && read_root(&t, archive, &f.pickle, &left, err) && attach_objects(&t);
    return end(&t, ok, "torch-tar", err);
}

/* --------------------------------------------------------- files within bytes */

bool pickle__torch_wants(const pickle_val *global)
{
    return pickle_is_global(global, "torch.storage", "_load_from_bytes");
}

/* A file whose value is a storage: what torch's storages reduce to. */
static pickle_val *read_bytes(pickle__vm *vm, const void *ctx)
{
    torch t = { .doc = vm->doc, .in = vm->doc->owned };
    pickle_val *part[5], *bytes; /* magic number, version, system, value, keys */
    pickle__storage_id id;

    (void)ctx;
    for (size_t i = 0; i < 5; i++) {
        part[i] = pickle__vm_run_nested(vm);
        if (!part[i])
            return NULL;
    }
    if (!pickle__is_torch_magic(part[0]) || !pickle__read_storage_id(part[3], &id) ||
        pickle_len(part[4]) != 1) {
        bad(&t, "the bytes are no storage of torch");
        return NULL;
    }
    bytes = read_elements(&t, id.dtype->size);
    return bytes && attach(&t, part[3], bytes, &id) ? part[3] : NULL;
}

static bool is_fatal(pickle_status code)
{
    return code == PICKLE_ERR_NOMEM || code == PICKLE_ERR_LIMIT || code == PICKLE_ERR_DENIED ||
           code == PICKLE_ERR_CANCELED;
}

static bool is_shared(const pickle_val *v)
{
    return pickle__is_node(v) && v->tag & PICKLE__SHARED;
}

/* torch gives each storage bytes of its own; reading the same ones for call after call would take
 * more time than the input is long. What cannot be read is a call like any other. */
bool pickle__torch_called(pickle__vm *vm, pickle_val *call)
{
    const pickle_val *args = pickle_args(call), *arg = pickle_at(args, 0);
    pickle_error own = { 0 }, *err = vm->err;
    pickle__source src;
    pickle_val *root;
    size_t len;
    const void *data = pickle_bytes(arg, &len);

    if (!data || is_shared(args) || is_shared(arg))
        return true;
    pickle__source_memory(&src, data, len, true);
    vm->err = &own;
    root = pickle__vm_read_aside(vm, &src, read_bytes, NULL);
    vm->err = err;
    if (root)
        return pickle__add_change(vm->doc, call, PICKLE_CHANGE_NESTED, root) ||
               pickle__vm_no_memory(vm);
    if (is_fatal(own.code)) {
        if (err)
            *err = own;
        return false;
    }
    pickle__vm_warn(vm, PICKLE_ERR_VALUE, "torch.storage._load_from_bytes: %s", own.message);
    return true;
}
