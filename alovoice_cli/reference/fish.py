"""The completion script of fish: one `complete` line for each option and argument, under the path of its command."""

from collections.abc import Iterator, Sequence

from alovoice_cli.reference.tree import Argument, Command, Option, common_options, fill_script, own_options

_SCRIPT = r"""# fish completion for @NAME@, written by `@NAME@ completion fish`.

# The names of the profiles: the tables of config.toml, and those that always exist.
function __@NAME@_profiles
    set -l files "$HOME/.config/@NAME@/config.toml" "@MAC@/@NAME@/config.toml"
    if test -n "$@CONFIG_DIR@"
        set files "$@CONFIG_DIR@/config.toml"
    else if string match -q -- '/*' "$XDG_CONFIG_HOME" # a relative path is to be ignored: the XDG specification
        set files[1] "$XDG_CONFIG_HOME/@NAME@/config.toml"
    end
    printf '%s\n' @ALWAYS_THERE@
    sed -n @SED@ $files 2>/dev/null
end

# Whether the words before the cursor name the command of this path; with a second word, whether that many others follow
# it; with a third, whether that many or more do.
function __@NAME@_at
    set -l words (commandline -opc)
    set -l path @NAME@
    set -l place 0
    set -l pending 0
    set -l words_only 0
    for word in $words[2..-1]
        if test $pending -eq 1
            set pending 0
        else if test $words_only -eq 0; and test "$word" = --
            set words_only 1
        else if test $words_only -eq 0; and string match -q -- '-*' $word
            if contains -- "$word" $__@NAME@_common_with_value; or contains -- "$path $word" $__@NAME@_with_value
                set pending 1
            end
        else if contains -- "$path $word" $__@NAME@_paths
            set path "$path $word"
        else
            set place (math $place + 1)
        end
    end
    test "$path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    set -q argv[3]; and test $place -gt $argv[2]; and return 0
    test $place -eq $argv[2]
end

set -g __@NAME@_paths @PATHS@
set -g __@NAME@_common_with_value @COMMON_WITH_VALUE@
set -g __@NAME@_with_value @WITH_VALUE@

complete -c @NAME@ -e
complete -c @NAME@ -f
@COMPLETIONS@
"""


def write_fish(tree: Command) -> str:
    """Returns the script for this tree."""
    common = common_options(tree)
    commands = list(tree.walk())
    return fill_script(
        _SCRIPT,
        tree,
        _quoted,
        PATHS=_list(" ".join(command.path) for command in commands[1:]),
        COMMON_WITH_VALUE=_list(flag for option in common if option.takes_value for flag in option.flags),
        WITH_VALUE=_list(
            " ".join((*command.path, flag))
            for command in commands
            for option in own_options(command, common)
            if option.takes_value
            for flag in option.flags
        ),
        COMPLETIONS="\n".join(_completions(commands, common, tree.name)),
    )


def _completions(commands: Sequence[Command], common: Sequence[Option], program: str) -> Iterator[str]:
    for option in common:
        yield from (f"complete -c {program} {line}" for line in _option(option))
    for command in commands:
        here = f"complete -c {program} -n {_condition(command)}"
        for below in command.shown:
            nothing_yet = f"complete -c {program} -n {_condition(command, 0)}"
            yield f"{nothing_yet} -a {_quoted(below.name)} -d {_quoted(below.summary)}"
        for option in own_options(command, common):
            yield from (f"{here} {line}" for line in _option(option))
        for place, argument in enumerate(command.arguments):
            if offer := _offer(argument):
                yield f"complete -c {program} -n {_condition(command, place, more=argument.repeatable)} {offer}"


def _condition(command: Command, place: int | None = None, *, more: bool = False) -> str:
    words = [f"__{command.path[0]}_at '{' '.join(command.path)}'"]
    words += [] if place is None else [str(place)]
    words += ["more"] if more else []
    return _quoted(" ".join(words))


def _option(option: Option) -> Iterator[str]:
    """Yields one line for the option with all its spellings."""
    shorts = [flag[1:] for flag in option.flags if not flag.startswith("--")]
    longs = [flag[2:] for flag in option.flags if flag.startswith("--")]
    value = (_offer(option) or "-x") if option.takes_value else ""
    names = [*(f"-s {short}" for short in shorts), *(f"-l {long}" for long in longs)]
    described = f"-d {_quoted(' '.join(option.help.split()))}" if option.help else ""
    yield " ".join(filter(None, (*names, value, described)))


def _offer(word: Option | Argument) -> str:
    """Returns the arguments of `complete` for a word. Without -x, fish would also offer file names."""
    exclusive = "-x " if isinstance(word, Option) else ""
    match word.kind:
        case "choice" | "setting":
            return f"{exclusive}-a {_quoted(' '.join(word.offers))}"
        case "profile":
            return f"{exclusive}-a '(__@NAME@_profiles)'"
        case "directory":
            return f"{exclusive}-a '(__fish_complete_directories)'"
        case "file":
            return "-r -F" if isinstance(word, Option) else "-F"
    return ""


def _list(words: Iterator[str]) -> str:
    return " ".join(_quoted(word) for word in words)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
