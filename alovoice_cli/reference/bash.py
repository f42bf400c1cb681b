"""The completion script of bash, from 3.2 (macOS) on; it needs no bash-completion package."""

from collections.abc import Iterator, Sequence
from shlex import quote

from alovoice_cli.reference.tree import Argument, Command, Option, common_options, fill_script, own_options

_SCRIPT = r"""# bash completion for @NAME@, written by `@NAME@ completion bash`.

# The names of the profiles: the tables of config.toml, and those that always exist.
_@NAME@_profiles() {
  local -a files
  local config=$HOME/.config
  # A relative path in XDG_CONFIG_HOME is to be ignored: XDG Base Directory Specification.
  [[ ${XDG_CONFIG_HOME-} == /* ]] && config=$XDG_CONFIG_HOME
  files=("$config/@NAME@/config.toml" "@MAC@/@NAME@/config.toml")
  [[ -n ${@CONFIG_DIR@-} ]] && files=("$@CONFIG_DIR@/config.toml")
  printf '%s\n' @ALWAYS_THERE@
  sed -n @SED@ "${files[@]}" 2>/dev/null
}

# Sets commands, options and arguments to what the command of this path takes; an argument with * takes all that follow.
_@NAME@_command() {
  commands='' options='' arguments=()
  case $1 in
@COMMANDS@
  esac
}

# Sets value to the kind of word that follows this option of the command of this path: nothing after a flag.
_@NAME@_option() {
  value=''
  case $2 in
@COMMON_OPTIONS@
  esac
  case "$1 $2" in
@OPTIONS@
  esac
}

_@NAME@_offer_words() {
  local word
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen -W "$1" -- "$cur")
}

_@NAME@_offer() {
  local name
  case $1 in
    # readline itself knows best about quotes, tildes and directories; only bash 3.2 cannot be asked for that.
    file) compopt -o default 2>/dev/null || _@NAME@_offer_paths -f ;;
    directory) compopt -o dirnames 2>/dev/null || _@NAME@_offer_paths -d ;;
    profile)
      while IFS= read -r name; do
        [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$name")")
      done < <(_@NAME@_profiles)
      ;;
    choice:*) _@NAME@_offer_words "${1#choice:}" ;;
  esac
}

_@NAME@_offer_paths() {
  local name
  while IFS= read -r name; do
    COMPREPLY+=("$name")
  done < <(compgen "$1" -- "$cur")
}

_@NAME@() {
  local cur=${COMP_WORDS[COMP_CWORD]} path=@NAME@ commands options value='' pending='' word argument
  local -a arguments
  local -i at place=0 joined=0 words_only=0
  COMPREPLY=()
  _@NAME@_command "$path"
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=${COMP_WORDS[at]}
    # bash cuts words at = : and @; only the value of --option=value is a word for us.
    if [[ $word == [=:@]* ]]; then
      [[ $word == '=' && -n $pending ]] || joined=1
      ((at == COMP_CWORD)) && cur=''
      continue
    fi
    ((at == COMP_CWORD)) && break
    if ((joined)); then
      joined=0
    elif [[ -n $pending ]]; then
      pending=''
    elif [[ $word == -- && $words_only -eq 0 ]]; then
      words_only=1
    elif [[ $word == -* && $words_only -eq 0 ]]; then
      _@NAME@_option "$path" "$word"
      pending=$value
    elif [[ " $commands " == *" $word "* ]]; then
      path+=" $word"
      _@NAME@_command "$path"
    else
      place+=1
    fi
  done
  ((joined)) && return
  if [[ -n $pending ]]; then
    _@NAME@_offer "$pending"
  elif [[ $cur == -* && $words_only -eq 0 ]]; then
    _@NAME@_offer_words "$options @COMMON_FLAGS@"
  elif [[ -n $commands ]]; then
    _@NAME@_offer_words "$commands"
  elif [[ -z $cur && ${#arguments[@]} -eq 0 && $words_only -eq 0 ]]; then
    _@NAME@_offer_words "$options"
  else
    argument=${arguments[place]-}
    if [[ -z $argument && ${#arguments[@]} -gt 0 ]]; then
      argument=${arguments[${#arguments[@]} - 1]}
      [[ $argument == \** ]] || argument=''
    fi
    _@NAME@_offer "${argument#\*}"
  fi
}

complete -F _@NAME@ @NAME@
"""


def write_bash(tree: Command) -> str:
    """Returns the script for this tree."""
    common = common_options(tree)
    return fill_script(
        _SCRIPT,
        tree,
        quote,
        COMMANDS="\n".join(_command(command, common) for command in tree.walk()),
        COMMON_OPTIONS="\n".join(_common(option) for option in common if option.takes_value) or "    '') ;;",
        OPTIONS="\n".join(line for command in tree.walk() for line in _own(command, common)) or "    '') ;;",
        COMMON_FLAGS=_flags(common),
    )


def _command(command: Command, common: Sequence[Option]) -> str:
    sets = {
        "commands": quote(" ".join(below.name for below in command.shown)) if command.shown else "",
        "options": quote(_flags(own)) if (own := own_options(command, common)) else "",
        "arguments": f"({' '.join(map(_argument, command.arguments))})" if command.arguments else "",
    }
    words = " ".join(f"{name}={value}" for name, value in sets.items() if value) or ":"
    return f"    {quote(' '.join(command.path))}) {words} ;;"


def _argument(argument: Argument) -> str:
    return quote(("*" if argument.repeatable else "") + _value(argument))


def _common(option: Option) -> str:
    return f"    {' | '.join(map(quote, option.flags))}) value='{_value(option)}' ;;"


def _own(command: Command, common: Sequence[Option]) -> Iterator[str]:
    for option in own_options(command, common):
        if option.takes_value:
            cases = " | ".join(quote(" ".join((*command.path, flag))) for flag in option.flags)
            yield f"    {cases}) value='{_value(option)}' ;;"


def _value(word: Option | Argument) -> str:
    return f"choice:{' '.join(word.offers)}" if word.offers else word.kind


def _flags(options: Sequence[Option]) -> str:
    return " ".join(flag for option in options for flag in option.flags)
