"""What the property tests of the tree draw from, and a model of trees in plain Python."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from typedcat import Config

NASTY_KEYS: list[Any] = [
    "a", "b", "c", "items", "keys", "update", "to_txt", "DEP", "freeze", "get", "class", "def", "None", "x y", "it's",
    'say "hi"', "both ' and \"", "a.b", "", "0", "γ", "ключ", "a\nb", "back\\slash", "[x]", "__class__", "__dict__",
    "__init__", "__own__", "_repr_html_", "_private", "self", "is_frozen", "ckl", 0, 1, -1, 2.5, None, (1, "t"), b"k",
]  # fmt: skip

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=8), st.binary(max_size=4)
)
leaves = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.tuples(scalars, scalars),
    st.frozensets(st.integers(-5, 5), max_size=1),  # of more the order in the text may vary
)
nasty_keys = st.sampled_from(NASTY_KEYS)


def dicts(keys: st.SearchStrategy[Any] = nasty_keys) -> st.SearchStrategy[dict[Any, Any]]:
    """Nested dicts without dicts as leaves."""
    return st.recursive(
        st.dictionaries(keys, leaves, max_size=4),
        lambda inner: st.dictionaries(keys, st.one_of(leaves, inner), max_size=4),
        max_leaves=12,
    )


class Sub:
    """A subtree of the model: its items, and whether it overrides as a whole."""

    def __init__(self, items: dict[Any, Any] | None = None, whole: bool = False) -> None:
        self.items = {} if items is None else items
        self.whole = whole

    def __repr__(self) -> str:
        return f"Sub({self.items!r}{', whole' if self.whole else ''})"

    def copy(self) -> Sub:
        """A copy of the structure."""
        return Sub({k: v.copy() if isinstance(v, Sub) else v for k, v in self.items.items()}, self.whole)

    def plain(self) -> dict[Any, Any]:
        """What `to_dict` gives."""
        return {k: v.plain() if isinstance(v, Sub) else v for k, v in self.items.items()}

    def merge(self, other: Sub) -> None:
        """What inheritance does."""
        for key, value in other.items.items():
            mine = self.items.get(key)
            if isinstance(mine, Sub) and isinstance(value, Sub) and not value.whole:
                mine.merge(value)
            else:
                self.items[key] = value.copy() if isinstance(value, Sub) else value

    def merge_incrementally(self, other: Sub) -> None:
        """What `dict_update(incremental=True)` does."""
        for key, value in other.items.items():
            if key not in self.items:
                self.items[key] = value.copy() if isinstance(value, Sub) else value
            elif isinstance(self.items[key], Sub) and isinstance(value, Sub) and not value.whole:
                self.items[key].merge_incrementally(value)

    def build(self, node: Config) -> Config:
        """The same tree, built as a user would."""
        for key, value in self.items.items():
            if isinstance(value, Sub):
                node[key] = Config()
                value.build(node[key])
            else:
                node[key] = value
        if self.whole:
            node.override()
        return node

    def flags(self, path: tuple[Any, ...] = ()) -> set[tuple[Any, ...]]:
        """Paths of the subtrees that override."""
        below = [v.flags((*path, k)) for k, v in self.items.items() if isinstance(v, Sub)]
        return set[tuple[Any, ...]]().union(*below, {path} if self.whole else ())


def sub_of(data: dict[Any, Any]) -> Sub:
    """The model of a nested dict."""
    return Sub({k: sub_of(v) if isinstance(v, dict) else v for k, v in data.items()})


def subs(keys: st.SearchStrategy[Any] = nasty_keys) -> st.SearchStrategy[Sub]:
    """Model trees with flags."""
    flags = st.booleans()
    return st.recursive(
        st.builds(Sub, st.dictionaries(keys, leaves, max_size=3), flags),
        lambda inner: st.builds(Sub, st.dictionaries(keys, st.one_of(leaves, inner), max_size=4), flags),
        max_leaves=12,
    )


def flags_of(cfg: Config, path: tuple[Any, ...] = ()) -> set[tuple[Any, ...]]:
    """Paths of the subtrees of a config that override."""
    below = [flags_of(v, (*path, k)) for k, v in dict.items(cfg) if isinstance(v, Config)]
    return set[tuple[Any, ...]]().union(*below, {path} if cfg.is_whole else ())


def assert_sound(tree: Any) -> None:
    """What holds for every tree, as far as a user can see it.

    A node hangs in one place; attributes and items are the same; nothing else is to be seen among the attributes.
    """
    nodes = list(tree.branches)
    assert len({id(node) for node in nodes}) == len(nodes)
    for node in nodes:
        if isinstance(node, Config):
            assert node.find_root() is tree
        if not isinstance(node, dict) or type(node) is dict:
            continue
        for key, value in dict.items(node):
            assert node[key] is value
            if isinstance(key, str) and not hasattr(type(node), key):
                assert getattr(node, key) is value
                assert vars(node)[key] is value
        assert set(vars(node)) <= {key for key in dict.keys(node) if isinstance(key, str)}
