# pickle.bash - bash completion for the pickle command.

_pickle_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_pickle_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_pickle_predict() {
	case $previous in
	-m | --method)
		local methods='predict predict_proba predict_log_proba decision_function transform'
		_pickle_words "$methods inverse_transform score_samples apply" "$current"
		;;
	--header)
		_pickle_words 'auto yes no' "$current"
		;;
	--color)
		_pickle_words 'auto always never' "$current"
		;;
	-e | --encoding)
		_pickle_words 'latin1 ascii utf-8 bytes' "$current"
		;;
	-[ijpt] | --index | --threads | --path | --table | --max-*) ;;
	*)
		options="--method --output --describe --path --table --header --lines --threads --newer"
		if [[ $current == -* ]]; then
			_pickle_words "$options --color $reading --help" "$current"
		else
			_pickle_files "$current"
		fi
		;;
	esac
}

_pickle() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local reading='--index --encoding --strict --max-memory --max-inflated'
	local options

	if ((COMP_CWORD == 1)); then
		_pickle_words 'show get dis convert predict --help --version' "$current"
		return
	fi
	# Readline takes --color=auto for three words.
	[[ $current == = ]] && current=
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	if [[ ${COMP_WORDS[1]} == predict ]]; then
		_pickle_predict
		return
	fi
	case $previous in
	-e | --encoding)
		_pickle_words 'latin1 ascii utf-8 bytes' "$current"
		return
		;;
	--color)
		_pickle_words 'auto always never' "$current"
		return
		;;
	-t | --to)
		_pickle_words 'pkl joblib' "$current"
		return
		;;
	-c | --compress)
		_pickle_words 'none zlib gzip bz2 xz lzma lz4 zstd' "$current"
		return
		;;
	--flavor)
		_pickle_words 'c python c36 python36 py2 cpickle2' "$current"
		return
		;;
	--joblib)
		_pickle_words '10 12 15' "$current"
		return
		;;
	--numpy)
		_pickle_words '1 2' "$current"
		return
		;;
	-o | --output)
		_pickle_files "$current"
		return
		;;
	-[dnilp] | --depth | --items | --index | --limit | --indentlevel | --preamble | --max-* | \
		--protocol | --threads)
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	show) options="--depth --items --json --raw --color $reading --help" ;;
	get) options="--output --json --raw --limit $reading --help" ;;
	dis) options='--annotate --indentlevel --memo --preamble --output --all --help' ;;
	convert)
		options="--to --protocol --compress --threads --optimize --flavor --numpy --joblib"
		options+=" --first $reading --help"
		;;
	*) return ;;
	esac
	if [[ $current == -* ]]; then
		_pickle_words "$options" "$current"
	else
		_pickle_files "$current"
	fi
}

complete -F _pickle pickle
