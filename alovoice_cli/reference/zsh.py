"""The completion script of zsh: a function for each command, each a call of `_arguments`."""

from collections.abc import Iterator, Sequence
from shlex import quote

from alovoice_cli.reference.tree import Argument, Command, Option, common_options, fill_script, own_options

_SCRIPT = r"""#compdef @NAME@
# zsh completion for @NAME@, written by `@NAME@ completion zsh`.

# The names of the profiles: the tables of config.toml, and those that always exist.
_@NAME@_profiles() {
  local -a files names expl
  local config=$HOME/.config
  # A relative path in XDG_CONFIG_HOME is to be ignored: XDG Base Directory Specification.
  [[ ${XDG_CONFIG_HOME-} == /* ]] && config=$XDG_CONFIG_HOME
  files=("$config/@NAME@/config.toml" "@MAC@/@NAME@/config.toml")
  [[ -n ${@CONFIG_DIR@-} ]] && files=("$@CONFIG_DIR@/config.toml")
  names=(@ALWAYS_THERE@ "${(@f)$(sed -n @SED@ "${files[@]}" 2>/dev/null)}")
  names=("${(@u)names:#}")
  _wanted profiles expl profile compadd -a names
}

# The options that mean the same before a command and after it.
_@NAME@_common=(
@COMMON@
)

@FUNCTIONS@

# Read by autoload, the file is the function's first call; sourced, it only defines.
if [[ ${funcstack[1]} == _@NAME@ ]]; then
  _@NAME@ "$@"
else
  compdef _@NAME@ @NAME@
fi
"""

# `(-)` leaves the options behind the sub-command's name to the sub-command.
_GROUP = r"""@FUNCTION@() {
  local curcontext=$curcontext state state_descr line ret=1
  local -A opt_args
  local -a commands=(
@COMMANDS@
  )
  _arguments -s -S -C \
    "${_@NAME@_common[@]}"@SPECS@ \
    '(-): :->command' \
    '*:: :->argument' && ret=0
  case $state in
    command) _describe -t commands command commands && ret=0 ;;
    argument)
      curcontext=${curcontext%:*:*}:@PAGE@-${words[1]}:
      case ${words[1]} in
@CASES@
      esac
      ;;
  esac
  return ret
}"""

_LEAF = r"""@FUNCTION@() {
  _arguments -s -S "${_@NAME@_common[@]}"@SPECS@
}"""


def write_zsh(tree: Command) -> str:
    """Returns the script for this tree."""
    common = common_options(tree)
    return fill_script(
        _SCRIPT,
        tree,
        quote,
        COMMON="\n".join(f"  {quote(spec)}" for option in common for spec in _option(option)),
        FUNCTIONS="\n\n".join(_function(command, common) for command in tree.walk()),
    )


def _filled(template: str, **parts: str) -> str:
    for name, part in parts.items():
        template = template.replace(f"@{name}@", part)
    return template


def _function(command: Command, common: Sequence[Option]) -> str:
    specs = [spec for option in own_options(command, common) for spec in _option(option)]
    if not command.shown:
        specs += [_argument(place, argument) for place, argument in enumerate(command.arguments, start=1)]
    return _filled(
        _GROUP if command.shown else _LEAF,
        FUNCTION=_function_name(command),
        PAGE="-".join(command.path),
        SPECS="".join(f" \\\n    {quote(spec)}" for spec in specs),
        COMMANDS="\n".join(
            f"    {quote(f'{_escaped(below.name)}:{_escaped(below.summary)}')}" for below in command.shown
        ),
        CASES="\n".join(f"        {below.name}) {_function_name(below)} && ret=0 ;;" for below in command.shown),
    )


def _function_name(command: Command) -> str:
    return "_" + "_".join(command.path)


def _option(option: Option) -> Iterator[str]:
    """Yields one spec for each spelling; the spellings exclude each other if the option may be given only once."""
    before = "*" if option.repeatable else f"({' '.join(option.flags)})" if len(option.flags) > 1 else ""
    help_text = f"[{_escaped(' '.join(option.help.split()))}]" if option.help else ""
    value = f":{_escaped(option.metavar)}:{_action(option)}" if option.takes_value else ""
    for flag in option.flags:
        joint = "" if not option.takes_value else "=" if flag.startswith("--") else "+"
        yield f"{before}{flag}{joint}{help_text}{value}"


def _argument(place: int, argument: Argument) -> str:
    where = "*" if argument.repeatable else f"{place}" if argument.required else f"{place}:"
    return f"{where}:{_escaped(argument.metavar)}:{_action(argument)}"


def _action(word: Option | Argument) -> str:
    """Returns what `_arguments` calls for the word; a single space offers nothing, and shows what is expected."""
    if word.offers:
        return f"({' '.join(_escaped(choice) for choice in word.offers)})"
    actions = {"file": "_files", "directory": "_files -/", "profile": "_@NAME@_profiles"}
    return actions.get(word.kind, " ")


def _escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\[]():" else sign for sign in text)
