#!/usr/bin/env python3
"""Folders depend downwards only: which folder of a crate may name which, as ARCHITECTURE.md says it.

    .ci/check-layers.py              checks the crates of this repository
    .ci/check-layers.py --self-test  checks the check, on small trees made for it

It reads the paths in the source: `crate::`, `$crate::`, `self::`, `super::`, in use-trees, in code, in macros, and in
the strings of attributes such as serde's `with`. Comments and other strings do not count. Code that is there for tests
only (`#[cfg(test)]`) is exempt. What would hide a path from this check is refused.

It does not see a dependency that no path names, such as a method that a higher folder adds to a lower folder's type.
"""

import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Crate:
    """A crate and the order of what is in its `src`, lowest first. What is absent does no harm."""

    path: str
    folders: tuple[str, ...]
    # Files at the top of `src` that may be used by every folder and use none.
    leaves: tuple[str, ...] = ()
    # Whether everything in `src` must be in the order. If not, the files at its top may use all and be used by all.
    whole: bool = False


CRATES = (
    Crate(
        "crates/guardrail",
        folders=(
            "ec2", "probe", "baseline", "event", "history", "analysis", "rules", "plan", "cloud", "report", "run",
            "inbox",
        ),
        leaves=("shown", "time"),
        whole=True,
    ),
    Crate("crates/guardrail-sim", folders=("ec2", "replay", "http")),
    Crate("crates/guardrail-aws", folders=("sdk", "ec2", "lambda")),
    Crate("crates/guardrail-cli", folders=("live", "commands")),
)


# From text to tokens ------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""
      (?P<space>\s+ | //[^\n]*)
    | (?P<block>/\*)
    | (?P<raw>[bc]?r(?P<hashes>\#*)"(?P<in_raw>.*?)"(?P=hashes))
    | (?P<string>[bc]?"(?P<in_string>(?:\\.|[^"\\])*)")
    | (?P<char>b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\\n])')
    | (?P<lifetime>'\w+)
    | (?P<word>(?:r\#)?[^\W\d]\w*)
    | (?P<number>\d\w*)
    | (?P<sign>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
BLOCK_EDGE = re.compile(r"/\*|\*/")
END = "end of file"


@dataclass(frozen=True)
class Token:
    kind: str  # word, sign, text, other or END
    text: str
    line: int


def tokens_of(text, line=1):
    """The tokens of Rust source without its comments. A string's token has what is between its quotes."""
    tokens, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        kind, end = match.lastgroup, match.end()
        if match["block"]:
            end = end_of_block_comment(text, at)
        elif match["raw"] is not None or match["string"] is not None:
            tokens.append(Token("text", match["in_raw"] or match["in_string"] or "", line))
        elif kind in ("word", "sign"):
            tokens.append(Token(kind, match[0].removeprefix("r#"), line))
        elif kind != "space":
            tokens.append(Token("other", match[0], line))
        line += text.count("\n", at, end)
        at = end
    return tokens


def end_of_block_comment(text, at):
    """Block comments nest."""
    depth = 0
    for edge in BLOCK_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


# From tokens to paths -----------------------------------------------------------------------------------------------

OPEN, CLOSE = {"(", "[", "{"}, {")", "]", "}"}
ITEMS = {
    "async", "const", "enum", "extern", "fn", "impl", "let", "macro_rules", "mod", "static", "struct", "trait", "type",
    "union", "unsafe", "use",
}
ANCHORS = {"crate", "self", "super"}
# Keys of attributes whose string is prose.
PROSE = {"doc", "reason"}


@dataclass(frozen=True)
class Named:
    """A path as it was written, in which module, and the name it gets by a `use`."""

    module: tuple[str, ...]
    segments: tuple[str, ...]
    alias: str | None
    line: int


@dataclass
class Source:
    """What one file names, and what it declares for tests only."""

    path: Path
    module: tuple[str, ...]
    named: list[Named] = field(default_factory=list)
    test_modules: set[tuple[str, ...]] = field(default_factory=set)
    refused: list[tuple[int, str]] = field(default_factory=list)


class Reader:
    """Goes through the tokens of one file once."""

    def __init__(self, source, tokens):
        self.source, self.tokens, self.at = source, tokens, 0
        self.inline, self.depth = [], 0

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if 0 <= at < len(self.tokens) else Token(END, END, 0)

    def signs(self, *texts):
        """Whether the next tokens are these words and signs."""
        next_tokens = [self.peek(ahead) for ahead in range(len(texts))]
        return all(token.text == text and token.kind in ("word", "sign") for token, text in zip(next_tokens, texts))

    @property
    def module(self):
        return self.source.module + tuple(name for _, name in self.inline)

    def read(self):
        while self.peek().kind != END:
            if self.signs("#", "[") or self.signs("#", "!", "["):
                self.attributes()
            elif self.peek().kind == "word":
                self.word()
            else:
                self.sign()
        return self.source

    def sign(self):
        if self.signs("{"):
            self.depth += 1
        elif self.signs("}"):
            self.depth -= 1
            if self.inline and self.inline[-1][0] > self.depth:
                self.inline.pop()
        self.at += 1

    def word(self):
        here, after = self.peek(), self.peek(1)
        if here.text == "use" and (after.kind == "word" or after.text in ("{", "::", "$")):
            self.at += 1
            self.tree((), in_use=True)
        elif here.text == "mod" and after.kind == "word" and self.peek(2).text == "{":
            self.at += 3
            self.depth += 1
            self.inline.append((self.depth, after.text))
        elif here.text in ANCHORS and after.text == "::" and not self.in_visibility():
            self.tree((), in_use=False)
        else:
            self.refuse_what_hides(here, after)
            self.at += 1

    def in_visibility(self):
        return self.peek(-1).text == "in" and self.peek(-2).text == "("

    def refuse_what_hides(self, here, after):
        if here.text == "include" and after.text == "!":
            self.refuse(here, "include! brings in code that this check does not read")
        elif here.text == "extern" and after.text == "crate" and self.peek(2).text == "self":
            self.refuse(here, "`extern crate self` gives the crate a second name")
        elif here.text == "macro_rules" and after.text == "!" and not self.source.module:
            self.refuse(here, "a macro of lib.rs is known to every folder without a path; put it into a folder")

    def refuse(self, token, why):
        self.source.refused.append((token.line, why))

    def tree(self, prefix, in_use):
        """A path, or a tree of them: `a::{b, c::*}`."""
        while self.signs("::") or self.signs("$"):
            self.at += 1
        here = self.peek()
        if self.signs("{"):
            self.at += 1
            while not self.signs("}") and self.peek().kind != END:
                self.tree(prefix, in_use)
                if self.signs(","):
                    self.at += 1
                elif not self.signs("}"):
                    self.at += 1  # a macro's repetition
            self.at += 1
            return
        if self.signs("*"):
            self.at += 1
            return self.name(prefix + ("*",), None, here)
        if here.kind != "word":
            return self.name(prefix, None, here)
        self.at += 1
        path = prefix + (here.text,)
        if self.signs("::") and (self.peek(1).kind == "word" or self.peek(1).text in ("{", "*", "$")):
            self.at += 1
            if self.signs("$"):
                self.at += 2  # a macro's argument: what it stands for is not known here
                return self.name(path + ("$",), None, here)
            return self.tree(path, in_use)
        alias = here.text if here.text != "self" else (prefix[-1] if prefix else None)
        if in_use and self.signs("as"):
            alias = self.peek(1).text
            self.at += 2
        self.name(path, alias, here)

    def name(self, segments, alias, token):
        self.source.named.append(Named(self.module, segments, alias, token.line))

    def attributes(self):
        """The attributes of an item; and the item, if it is for tests only."""
        for_tests = False
        while self.signs("#", "[") or self.signs("#", "!", "["):
            inner = self.signs("#", "!")
            self.at += 2 if inner else 1
            start = self.at
            self.skip_group()
            body = self.tokens[start + 1 : self.at - 1]
            if is_cfg_test(body):
                if inner:
                    self.source.test_modules.add(self.module)
                else:
                    for_tests = True
            else:
                self.attribute(body)
        if for_tests:
            self.skip_item()

    def attribute(self, body):
        words = [token.text for token in body if token.kind in ("word", "sign")]
        if words[:1] in (["macro_use"], ["macro_export"]):
            self.refuse(body[0], f"#[{words[0]}] makes macros known without their path; import them by it")
        if words[:1] in (["path"], ["cfg_attr"]) and any(pair == ("path", "=") for pair in zip(words, words[1:])):
            self.refuse(body[0], "#[path] hides which folder a module belongs to")
        for key, equals, value in zip(body, body[1:], body[2:]):
            if equals.text == "=" and value.kind == "text" and key.text not in PROSE:
                inside = Reader(self.source, tokens_of(value.text, value.line))
                inside.inline = self.inline
                inside.read()

    def skip_group(self):
        depth = 0
        while self.peek().kind != END:
            token = self.peek()
            self.at += 1
            if token.kind == "sign":
                depth += (token.text in OPEN) - (token.text in CLOSE)
            if depth == 0:
                return

    def skip_item(self):
        if self.signs("pub"):
            self.at += 1
            if self.signs("("):
                self.skip_group()
        first = self.peek().text
        if first not in ITEMS:
            return  # a field, a variant, an expression: read as the rest
        if first == "mod" and self.peek(2).text == ";":
            self.source.test_modules.add(self.module + (self.peek(1).text,))
        while self.peek().kind != END and not self.signs(";"):
            body = self.signs("{")
            self.skip_group()
            if body:
                return
        self.at += 1


def is_cfg_test(body):
    """`cfg(test)`, or `cfg(all(…))` with `test` as one of its conditions."""
    words = [token.text for token in body]
    if words == ["cfg", "(", "test", ")"]:
        return True
    if words[:4] != ["cfg", "(", "all", "("]:
        return False
    depth = 0
    for word, after in zip(words, words[1:]):
        depth += (word in OPEN) - (word in CLOSE)
        if word == "test" and depth == 2 and after in (",", ")"):
            return True
    return False


def module_of(path, src):
    parts = list(path.relative_to(src).with_suffix("").parts)
    if parts[-1] == "mod" or parts in (["lib"], ["main"]):
        parts.pop()
    return tuple(parts)


def resolve(named):
    """The path from the crate's root; None for one that starts at a name in scope or at another crate."""
    first, *rest = named.segments
    if first not in ANCHORS:
        return None
    at = list(named.module)
    if first == "crate":
        at = []
    elif first == "super":
        at = at[:-1]
    while rest[:1] == ["super"]:
        at, rest = at[:-1], rest[1:]
    return tuple(at + [segment for segment in rest if segment != "self"])


# From paths to violations -------------------------------------------------------------------------------------------


class Layers:
    """The order of one crate, and what its root gives other names to."""

    def __init__(self, crate, sources):
        self.crate, self.order = crate, (*crate.leaves, *crate.folders)
        self.tests = set().union(*(source.test_modules for source in sources))
        self.files = {source.module[0] for source in sources if source.module}
        self.sources = [source for source in sources if not self.is_for_tests(source.module)]
        self.roots = self.names_of_the_root()

    def is_for_tests(self, module):
        return any(module[:length] in self.tests for length in range(len(module) + 1))

    def names_of_the_root(self):
        """`pub use report::Report` in lib.rs makes `crate::Report` a name for something of `report`."""
        names = {}
        for source in self.sources:
            for named in source.named if source.module == () else ():
                path = resolve(named) if named.segments[0] in ANCHORS else named.segments
                if named.alias and path:
                    names[named.alias] = path[0]
        return names

    def home(self, path):
        """Which folder or file a path from the root belongs to; None if the root's own name does not say it."""
        first = path[0] if path else None
        if first in self.files or first in self.order:
            return first
        return self.roots.get(first)

    def errors(self):
        for source in self.sources:
            if not self.crate.whole:
                yield from self.errors_of(source)
                continue
            for line, why in source.refused:
                yield source.path, line, why
            if source.module == ():
                continue
            if source.module[0] not in self.order:
                yield source.path, 1, f"{source.module[0]} has no place in the order of .ci/check-layers.py"
            else:
                yield from self.errors_of(source)

    def errors_of(self, source):
        user = source.module[0] if source.module else None
        if user not in self.order:
            return
        for named in source.named:
            path = resolve(named)
            if path is None or path[:1] == (user,):
                continue
            written, used = "::".join(("crate", *path)), self.home(path)
            if used in self.order:
                if self.order.index(used) > self.order.index(user):
                    yield source.path, named.line, f"{user} uses {used} ({written}); {self.sentence()}"
            elif self.crate.whole and (used is None or used in self.files):
                yield source.path, named.line, f"{user} uses {written}; name the folder that it comes from"

    def sentence(self):
        return f"folders depend downwards only: {', '.join(self.crate.folders)}"


def errors_of_crate(crate, root):
    src = root / crate.path / "src"
    sources = []
    for path in sorted(src.rglob("*.rs")):
        source = Source(path.relative_to(root), module_of(path, src))
        sources.append(Reader(source, tokens_of(path.read_text(encoding="utf-8"))).read())
    return [f"{path}:{line}: {why}" for path, line, why in Layers(crate, sources).errors()]


# The check of the check ---------------------------------------------------------------------------------------------

TINY = Crate("tiny", folders=("low", "middle", "high"), leaves=("leaf",), whole=True)
LOOSE = Crate("tiny", folders=("low", "high"))
ORDER = "folders depend downwards only: low, middle, high"


def upwards(path, line, written, user="low", used="high"):
    return f"tiny/src/{path}:{line}: {user} uses {used} ({written}); {ORDER}"


def hidden(path, line, written, user="low"):
    return f"tiny/src/{path}:{line}: {user} uses {written}; name the folder that it comes from"


def one(name, text, *expected):
    """A case of one file in the lowest folder. An error at a line is by default that it names `X` of the highest."""
    errors = [upwards(LOW, error, X) if isinstance(error, int) else error for error in expected]
    return name, {LOW: text}, errors


LOW = "low/mod.rs"
X = "crate::high::X"
WITHOUT_PATH = "makes macros known without their path; import them by it"
NO_PLACE = "has no place in the order of .ci/check-layers.py"
# What is tested, the files of a tree, what is said of it.
CASES = [
    (
        "downwards and within",
        {"high/mod.rs": "use crate::{low::a, middle};\nuse self::b::c;", "high/b.rs": "use super::d;"},
        [],
    ),
    one("use", "\nuse crate::high::X;", 2),
    one("pub use", "pub(crate) use crate::high::X as Y;", 1),
    one(
        "a use-tree",
        "use crate::{\n    low::a,\n    high::{self, X, b::*},\n};",
        upwards(LOW, 3, "crate::high"),
        3,
        upwards(LOW, 3, "crate::high::b::*"),
    ),
    one("a tree that starts with a brace", "use {std::fmt, crate::high::X};", 1),
    one("super", "use super::high::X;", 1),
    ("super::super", {"low/a.rs": "use super::super::high::X;"}, [upwards("low/a.rs", 1, X)]),
    ("super in a tree", {"low/a.rs": "use super::{b, super::high::X};"}, [upwards("low/a.rs", 1, X)]),
    one("self::super", "use self::super::high::X;", 1),
    one(
        "super in a module in a file",
        "mod a { use super::b; use super::super::high::X; }\nuse super::high::X;",
        1,
        2,
    ),
    one("code", "fn f() {\n    crate::high::X::new();\n}", upwards(LOW, 2, X + "::new")),
    one("generics", "fn f(a: Vec<crate::high::X<'static>>) {}", 1),
    one("the arguments of a generic path", "fn f() { crate::low::g::<crate::high::X>() }", 1),
    one("a qualified path", "type A = <T as crate::high::X>::B;", 1),
    one("a range", "fn f() { 0..crate::high::X }", 1),
    one("spaces and comments in a path", "use crate :: /* a */ high\n::X;", 2),
    one("a raw name", "use crate::r#high::X;", 1),
    one("a macro's $crate", "macro_rules! m { () => { $crate::high::X } }", 1),
    one("a macro's use", "macro_rules! m { () => { use $crate::{low::a, high::X}; } }", 1),
    one("a macro's call", 'fn f() { println!("{}", crate::high::X); }', 1),
    one(
        "a macro's path that is not known",
        "macro_rules! m { ($a:ident) => { crate::$a::X } }",
        hidden(LOW, 1, "crate::$"),
    ),
    one("an attribute's path", 'struct S {\n    #[serde(with = "crate::high::X")]\n    a: u8,\n}', 2),
    one(
        "comments",
        "//! crate::high::X\n/// crate::high::X\n// crate::high::X\n/* /* */ crate::high::X */",
    ),
    one(
        "strings",
        '#[doc = "crate::high::X"]\n'
        'const A: [&str; 3] = ["crate::high::X \\"", r#""crate::high::X"#, b"\\\\"];',
    ),
    one(
        "after strings, characters and lifetimes",
        "fn f<'a, 'b>(c: char) { c == '\"' || c == '\\''; r\"\\\"; b'\"'; crate::high::X }",
        1,
    ),
    one("between quotes that are characters", "fn f() { '\"'; crate::high::X; '\"' }", 1),
    (
        "a visibility",
        {"low/a/mod.rs": "pub(in super::super) fn f() {}\npub(crate) use super::X;\npub(super) mod b;"},
        [],
    ),
    one(
        "a module for tests",
        "#[cfg(test)]\n#[allow(a)]\npub(crate) mod tests { use crate::high::Y; mod a {} }\nuse crate::high::X;",
        4,
    ),
    (
        "a module for tests in a file",
        {
            LOW: "#[cfg(test)]\nmod tests;\nmod b;",
            "low/tests.rs": "use crate::high::X;",
            "low/b/mod.rs": "#[cfg(all(test, unix))]\nmod c;",
            "low/b/c/d.rs": "use crate::high::X;",
        },
        [],
    ),
    (
        "a file for tests that is not declared as one",
        {LOW: "mod tests;", "low/tests.rs": "use crate::high::X;"},
        [upwards("low/tests.rs", 1, X)],
    ),
    one(
        "other items for tests",
        "#[cfg(test)]\nuse crate::{high::Y};\n"
        "#[cfg(test)]\nimpl A for [u8; 2] { fn f() { crate::high::Y } }\n"
        "#[cfg(test)]\nconst A: u8 = { crate::high::Y };\nuse crate::high::X;",
        7,
    ),
    one(
        "not for tests only",
        "#[cfg(any(test, unix))]\nmod a { use crate::high::X; }\n"
        "#[cfg(not(test))]\nmod b { use crate::high::X; }\n"
        "#[cfg(all(unix, not(test)))]\nmod c { use crate::high::X; }",
        2,
        4,
        6,
    ),
    (
        "a helper for tests at the top",
        {"lib.rs": "#[cfg(test)]\nmod fixture;\npub mod low;", "fixture.rs": "use crate::high::X;"},
        [],
    ),
    ("lib.rs may name all", {"lib.rs": "pub use high::X;\npub use crate::low::{Y, Z};"}, []),
    (
        "a name of lib.rs",
        {
            "lib.rs": "pub use high::{a::X as Z, Y};\npub use low::W;\npub use std::fmt;",
            LOW: "use crate::{Z, W, fmt};\nuse super::Y;",
        },
        [upwards(LOW, 1, "crate::Z"), upwards(LOW, 2, "crate::Y")],
    ),
    (
        "a name of lib.rs that is not known",
        {"lib.rs": "pub use high::*;\nfn f() {}", LOW: "use crate::X;\nfn g() { crate::f() }"},
        [hidden(LOW, 1, "crate::X"), hidden(LOW, 2, "crate::f")],
    ),
    one(
        "the root as a whole",
        "use crate::*;\nuse crate as all;\nuse super as all;\nuse super::{self as all};",
        hidden(LOW, 1, "crate::*"),
        *(hidden(LOW, line, "crate") for line in (2, 3, 4)),
    ),
    ("a leaf", {"leaf.rs": "use std::fmt;", LOW: "use crate::leaf::X;"}, []),
    (
        "a leaf that uses a folder",
        {"leaf.rs": "use crate::low::X;"},
        [upwards("leaf.rs", 1, "crate::low::X", "leaf", "low")],
    ),
    (
        "what is not in the order",
        {"other.rs": "", "new/mod.rs": ""},
        [f"tiny/src/new/mod.rs:1: new {NO_PLACE}", f"tiny/src/other.rs:1: other {NO_PLACE}"],
    ),
    (
        "what hides a path",
        {
            "lib.rs": "#[macro_use]\nmod low;\nextern crate self as me;\nmacro_rules! m { () => {} }",
            LOW: '#[path = "a.rs"]\nmod a;\ninclude!("b.rs");\n#[macro_export]\nmacro_rules! n { () => {} }',
        },
        [
            f"tiny/src/lib.rs:1: #[macro_use] {WITHOUT_PATH}",
            "tiny/src/lib.rs:3: `extern crate self` gives the crate a second name",
            "tiny/src/lib.rs:4: a macro of lib.rs is known to every folder without a path; put it into a folder",
            "tiny/src/low/mod.rs:1: #[path] hides which folder a module belongs to",
            "tiny/src/low/mod.rs:3: include! brings in code that this check does not read",
            f"tiny/src/low/mod.rs:4: #[macro_export] {WITHOUT_PATH}",
        ],
    ),
]
LOOSE_CASES = [
    (
        "files at the top of a crate that is not ordered as a whole",
        {
            "lib.rs": "mod top;\npub use high::Y;",
            "top.rs": "use crate::high::X;",
            LOW: "use crate::top::X;\nuse crate::Y;",
        },
        ["tiny/src/low/mod.rs:2: low uses high (crate::Y); folders depend downwards only: low, high"],
    ),
]


def self_test():
    """Prints what is wrong with the check; how many cases are."""
    failed = 0
    for crate, cases in ((TINY, CASES), (LOOSE, LOOSE_CASES)):
        for name, files, expected in cases:
            with tempfile.TemporaryDirectory() as folder:
                for path, text in {"high/mod.rs": "", **files}.items():
                    file = Path(folder, "tiny/src", path)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
                said = errors_of_crate(crate, Path(folder))
            if said != expected:
                failed += 1
                print(f"error: {name}:")
                print(*(f"  expected {error}\n" for error in expected), *(f"  said     {error}\n" for error in said), sep="")
    return failed


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if arguments:
        print(__doc__)
        return 2
    root = Path(__file__).resolve().parent.parent
    errors = [error for crate in CRATES for error in errors_of_crate(crate, root)]
    print(*errors, sep="\n", end="\n" if errors else "")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
