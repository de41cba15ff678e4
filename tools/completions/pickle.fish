# pickle.fish - fish completion for the pickle command.

set -l none '__fish_use_subcommand'
set -l show '__fish_seen_subcommand_from show'
set -l get '__fish_seen_subcommand_from get'
set -l dis '__fish_seen_subcommand_from dis'
set -l convert '__fish_seen_subcommand_from convert'
set -l read '__fish_seen_subcommand_from show get convert'

complete -c pickle -n $none -f -a show -d 'What a file holds, as a tree'
complete -c pickle -n $none -f -a get -d 'One value, as text, JSON or .npy'
complete -c pickle -n $none -f -a dis -d 'The opcodes, as pickletools prints them'
complete -c pickle -n $none -f -a convert -d 'Write again: other protocols, joblib, compression'
complete -c pickle -n $none -s V -l version -d 'Show version and codecs'
complete -c pickle -s h -l help -d 'Show help'

complete -c pickle -n $show -x -s d -l depth -d 'Levels to open'
complete -c pickle -n $show -x -s n -l items -d 'Items of a container to show'
complete -c pickle -n $show -s j -l json -d 'JSON for programs'
complete -c pickle -n $show -s r -l raw -d 'Calls and states as they are'
complete -c pickle -n $show -x -l color -a 'auto always never' -d 'Use color'

complete -c pickle -n $get -r -s o -l output -d 'Write there'
complete -c pickle -n $get -s j -l json -d 'JSON, whatever it is'
complete -c pickle -n $get -s r -l raw -d 'Text and bytes as they are'
complete -c pickle -n $get -x -l limit -d 'Values that JSON may have'

complete -c pickle -n $read -x -s i -l index -d 'Of several pickles, the N-th'
complete -c pickle -n $read -x -s e -l encoding -a 'latin1 ascii utf-8 bytes' -d 'Of Python 2 strings'
complete -c pickle -n $read -s s -l strict -d "Refuse what Python's unpickler refuses"
complete -c pickle -n $read -x -l max-memory -d 'For the values'
complete -c pickle -n $read -x -l max-inflated -d 'Of decompressed data'

complete -c pickle -n $dis -s a -l annotate -d 'Say what each opcode does'
complete -c pickle -n $dis -x -s l -l indentlevel -d 'Blanks for each MARK'
complete -c pickle -n $dis -s m -l memo -d 'Keep the memo from file to file'
complete -c pickle -n $dis -x -s p -l preamble -d 'Before each of several files'
complete -c pickle -n $dis -r -s o -l output -d 'Write there'
complete -c pickle -n $dis -l all -d 'All pickles of a file'

complete -c pickle -n $convert -x -s t -l to -a 'pkl joblib' -d 'Format'
complete -c pickle -n $convert -x -s p -l protocol -a '0 1 2 3 4 5' -d 'Of pickle'
complete -c pickle -n $convert -x -s c -l compress -a 'none zlib gzip bz2 xz lzma lz4 zstd' -d 'Codec, and :LEVEL'
complete -c pickle -n $convert -x -l threads -d 'That may compress'
complete -c pickle -n $convert -l optimize -d 'As pickletools.optimize does'
complete -c pickle -n $convert -x -l flavor -a 'c python c36 python36 py2 cpickle2' -d 'Whose habits'
complete -c pickle -n $convert -x -l numpy -a '1 2' -d 'Arrays are for'
complete -c pickle -n $convert -x -l joblib -a '10 12 15' -d 'Layout'
complete -c pickle -n $convert -l first -d 'The first pickle alone'
