"""'Attribute Dict' and 'Circular References': `ADict` in place of `addict.Dict`, whose documented API it has."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from typedcat import ADict, Config

addict = pytest.importorskip("addict")
KINDS: list[Any] = [ADict, addict.Dict]


@pytest.fixture(params=KINDS, ids=["typedcat.ADict", "addict.Dict"])
def kind(request: pytest.FixtureRequest) -> Any:
    """Each test below holds for both: what it says is addict's behaviour."""
    return request.param


class TestWhatAddictDoes:
    def test_attributes(self, kind: Any) -> None:
        d = kind()
        d.a = 1
        assert d["a"] == 1
        d["b"] = 2
        assert d.b == 2
        del d.a
        assert "a" not in d
        assert isinstance(d, dict)

    def test_nesting_out_of_nothing(self, kind: Any) -> None:
        d = kind()
        d.a.b.c.d.e = 2
        assert d == {"a": {"b": {"c": {"d": {"e": 2}}}}}
        d["x"]["y"] = 1
        assert d.x.y == 1
        assert isinstance(d.a.b, kind)

    def test_reading_inserts_nothing(self, kind: Any) -> None:
        d = kind()
        assert not d.a.b.c
        assert d == {}
        assert d.a == {}

    @pytest.mark.parametrize(
        "make",
        [
            lambda kind: kind({"a": {"b": 1}}),
            lambda kind: kind(a={"b": 1}),
            lambda kind: kind([("a", {"b": 1})]),
            lambda kind: kind((("a", {"b": 1}),)),
            lambda kind: kind(("a", {"b": 1})),
            lambda kind: kind(pair for pair in [("a", {"b": 1})]),
            lambda kind: kind({"a": 5}, {"a": {"b": 1}}),
            lambda kind: kind({}, {"a": {"b": 1}}),
            lambda kind: kind(None, {"a": {"b": 1}}),
            lambda kind: kind((), {"a": {"b": 1}}),
            lambda kind: kind([], a={"b": 1}),
            lambda kind: kind(kind(a={"b": 1})),
        ],
    )
    def test_constructor(self, kind: Any, make: Callable[[Any], Any]) -> None:
        d = make(kind)
        assert d == {"a": {"b": 1}}
        assert isinstance(d.a, kind)
        d.a.c = 2
        assert d.a.c == 2

    def test_several_pairs(self, kind: Any) -> None:
        assert kind((0, 1), (1, 2), (2, 3)) == {0: 1, 1: 2, 2: 3}

    @pytest.mark.parametrize("source", [5, 5.5, "no pairs"])
    def test_constructor_of_nonsense(self, kind: Any, source: Any) -> None:
        with pytest.raises((TypeError, ValueError)):
            kind(source)

    def test_dicts_in_lists_become_nodes(self, kind: Any) -> None:
        d = kind({"a": [1, {"b": 2}, [{"c": 3}]]})
        assert d.a[1].b == 2
        assert d.a[2][0].c == 3
        assert isinstance(d.a[1], kind)

    def test_dicts_in_tuples_become_nodes(self, kind: Any) -> None:
        d = kind({"a": (1, {"b": 2}, ({"c": 3},))})
        assert isinstance(d.a, tuple)
        assert d.a[1].b == 2
        assert d.a[2][0].c == 3
        d.a[1].new.key = 1
        assert d.a[1] == {"b": 2, "new": {"key": 1}}

    def test_assigned_dicts_stay_plain(self, kind: Any) -> None:
        d = kind()
        plain = {"b": 1}
        d.a = plain
        assert d.a is plain

    def test_to_dict(self, kind: Any) -> None:
        d = kind({"a": {"b": 1}, "lst": [{"c": 2}], "tup": (1, {"d": 3})})
        plain = d.to_dict()
        assert plain == {"a": {"b": 1}, "lst": [{"c": 2}], "tup": (1, {"d": 3})}
        assert type(plain) is type(plain["a"]) is type(plain["lst"][0]) is type(plain["tup"][1]) is dict

    def test_counters(self, kind: Any) -> None:
        d = kind()
        for word in ["a", "b", "a"]:
            d.counts[word] += 1
        d.total += 2.5
        d.text += "abc"
        d.lst += [1]
        assert d == {"counts": {"a": 2, "b": 1}, "total": 2.5, "text": "abc", "lst": [1]}

    def test_adding_to_a_node_with_contents(self, kind: Any) -> None:
        d = kind(a={"b": 1})
        with pytest.raises(TypeError):
            d.a += 1

    def test_update_merges(self, kind: Any) -> None:
        d = kind(a={"b": 1, "c": 2}, x=1)
        d.update({"a": {"b": 5, "d": 6}})
        d.update(x=2)
        d.update([("y", 3)])
        d.update({"z": 1}, w=2)
        assert d == {"a": {"b": 5, "c": 2, "d": 6}, "x": 2, "y": 3, "z": 1, "w": 2}

    def test_update_replaces_lists(self, kind: Any) -> None:
        d = kind(a=[1, 2])
        d.update(a=[3])
        assert d.a == [3]

    def test_or(self, kind: Any) -> None:
        d = kind(a={"b": 1})
        assert d | {"a": {"c": 2}} == {"a": {"b": 1, "c": 2}}
        assert isinstance(d | {}, kind)
        assert {"a": {"b": 5, "x": 0}} | d == {"a": {"b": 1, "x": 0}}
        assert isinstance({} | d, kind)
        assert d == {"a": {"b": 1}}
        d |= {"a": {"c": 3}}
        assert d == {"a": {"b": 1, "c": 3}}
        with pytest.raises(TypeError):
            _ = d | 5

    def test_setdefault(self, kind: Any) -> None:
        d = kind(a=1)
        assert d.setdefault("a", 2) == 1
        assert d.setdefault("b", 2) == 2
        assert d.setdefault("c") is None
        assert d == {"a": 1, "b": 2, "c": None}
        d.x.setdefault("y", 1)
        assert d.x.y == 1

    def test_get_pop_in(self, kind: Any) -> None:
        d = kind(a=1)
        assert d.get("a") == 1
        assert d.get("b") is None
        assert d.get("b", 3) == 3
        assert d.pop("a") == 1
        with pytest.raises(KeyError):
            d.pop("a")
        with pytest.raises(KeyError):
            del d["a"]
        with pytest.raises(KeyError):
            del d.a

    def test_method_names_are_read_only_attributes(self, kind: Any) -> None:
        d = kind()
        for name in ("keys", "items", "update", "freeze", "to_dict"):
            with pytest.raises(AttributeError):
                setattr(d, name, 1)
            d[name] = 1
            assert d[name] == 1
            assert callable(getattr(d, name))

    def test_keys_that_are_no_strings(self, kind: Any) -> None:
        d = kind({1: {2: 3}})
        d[(1, 2)] = "x"
        d[5][6] = 7
        assert d == {1: {2: 3}, (1, 2): "x", 5: {6: 7}}

    def test_freeze(self, kind: Any) -> None:
        d = kind(a={"b": 1})
        d.freeze()
        with pytest.raises(KeyError):
            _ = d.missing
        with pytest.raises(KeyError):
            _ = d.a["missing"]
        with pytest.raises(KeyError):
            d.new = 1
        with pytest.raises(KeyError):
            d.a.new = 1
        d.unfreeze()
        d.a.new = 1
        assert not d.missing
        d.freeze()
        d.freeze(False)
        d.other.x = 1
        assert d == {"a": {"b": 1, "new": 1}, "other": {"x": 1}}

    def test_deepcopy(self, kind: Any) -> None:
        d = kind(a={"b": [1]})
        for made in (d.deepcopy(), copy.deepcopy(d)):
            assert made == d
            assert isinstance(made.a, kind)
            made.a.b.append(2)
            assert d.a.b == [1]

    def test_copy_is_of_the_same_kind_and_independent_at_the_top(self, kind: Any) -> None:
        d = kind(a={"b": 1}, lst=[1])
        for made in (d.copy(), copy.copy(d)):
            assert made == d
            assert type(made) is kind
            made.x = 1
            assert "x" not in d

    def test_pickle(self, kind: Any) -> None:
        d = kind(a={"b": [1, {"c": 2}]})
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            made = pickle.loads(pickle.dumps(d, protocol))
            assert made == d
            assert isinstance(made.a, kind)

    def test_json(self, kind: Any) -> None:
        d = kind(a={"b": [1, {"c": 2}]})
        assert kind(json.loads(json.dumps(d))) == d

    def test_subclass(self, kind: Any) -> None:
        class Mine(kind):  # type: ignore[misc]  # a base chosen at run time
            def total(self) -> int:
                return sum(self.values())

        d = Mine(a=1, b=2)
        assert d.total() == 3
        assert isinstance(d.x.y, Mine)
        assert isinstance(Mine(a={"b": 1}).a, Mine)

    def test_double_star(self, kind: Any) -> None:
        assert dict(**kind(a=1)) == {"a": 1}
        assert {**kind(a={"b": 1})} == {"a": {"b": 1}}

    def test_elastic_query_of_the_readme(self, kind: Any) -> None:
        body = kind()
        body.query.filtered.query.match.description = "addictive"
        body.query.filtered.filter.term.created_by = "Mats"
        assert body == {
            "query": {
                "filtered": {
                    "query": {"match": {"description": "addictive"}},
                    "filter": {"term": {"created_by": "Mats"}},
                }
            }
        }


class TestWhereWeDoBetter:
    def test_two_handles_to_one_missing_key(self) -> None:
        d = ADict()
        one, two = d.x, d.x
        one.a = 1
        two.b = 2
        assert d == {"x": {"a": 1, "b": 2}}

    def test_copy_copies_the_structure(self) -> None:
        d = ADict(a={"b": 1, "lst": [{"c": 1}]})
        made = d.copy()
        made.a.b = 2
        made.a.lst[0].c = 2
        assert d == {"a": {"b": 1, "lst": [{"c": 1}]}}

    def test_copy_shares_leaves(self) -> None:
        leaf = object()
        assert ADict(a={"b": leaf}).copy().a.b is leaf

    def test_protocol_names_are_not_created(self) -> None:
        d = ADict()
        assert not hasattr(d, "__array__")
        assert not hasattr(d, "__len_hint__")
        assert not hasattr(d, "_repr_png_")
        assert not hasattr(d, "_ipython_display_")

    def test_a_frozen_error_is_both_kinds(self) -> None:
        d = ADict(a=1).freeze()
        for error in (KeyError, RuntimeError):
            with pytest.raises(error):
                d.b = 1
            with pytest.raises(error):
                d.a = 2


class TestCircularReferences:
    def circular(self) -> dict[str, Any]:
        dic: dict[str, Any] = {"num": 0, "lst": [1, "str"], "sub_dic": {"sub_num": 3}}
        dic["lst"].append(dic["sub_dic"])
        dic["sub_dic"]["parent"] = dic
        return dic

    def check(self, adic: Any, other: Any) -> None:
        assert adic.sub_dic.parent is adic is not other
        assert adic.lst[-1] is adic.sub_dic is not other["sub_dic"]
        assert adic.num == 0
        assert adic.sub_dic.sub_num == 3

    def test_init(self) -> None:
        dic = self.circular()
        self.check(ADict(dic), dic)

    @pytest.mark.parametrize(
        "make",
        [ADict, ADict.copy, ADict.branch_copy, copy.copy, copy.deepcopy, ADict.deepcopy],
        ids=lambda f: f.__name__,
    )
    def test_copies(self, make: Callable[[Any], Any]) -> None:
        adic = ADict(self.circular())
        made = make(adic)
        assert type(made) is ADict
        self.check(made, adic)

    def test_pickle(self) -> None:
        adic = ADict(self.circular())
        self.check(pickle.loads(pickle.dumps(adic)), adic)

    def test_to_dict(self) -> None:
        plain = ADict(self.circular()).to_dict()
        assert plain["sub_dic"]["parent"] is plain
        assert plain["lst"][-1] is plain["sub_dic"]
        assert type(plain["sub_dic"]) is dict

    def test_walks_and_prints_end(self) -> None:
        adic = ADict(self.circular())
        assert [name for name, _ in adic.named_branches] == ["", "sub_dic"]
        assert "{...}" in repr(adic)
        assert "sub_num" in adic.to_txt()
        assert "sub_num" in adic._repr_html_()

    def test_freeze(self) -> None:
        adic = ADict(self.circular()).freeze()
        assert adic.sub_dic.is_frozen

    def test_a_frozen_tree_can_be_marked_as_a_whole(self) -> None:
        newer = ADict(sub={"a": 1}).freeze()
        newer.sub.set_whole()
        older = ADict(sub={"b": 2})
        older.update(newer)
        assert older == {"sub": {"a": 1}}

    def test_equality_with_itself_and_a_copy(self) -> None:
        adic = ADict(self.circular())
        assert adic == adic  # noqa: PLR0124 - what is tested
        assert adic.sub_dic == adic.copy().sub_dic

    def test_update(self) -> None:
        target = ADict(x=1)
        target.update(self.circular())
        assert target.x == 1
        assert target.sub_dic.sub_num == 3

    def test_shared_subtrees_stay_shared(self) -> None:
        shared = {"a": 1}
        adic = ADict(one=shared, two=shared)
        assert ADict({"one": shared, "two": shared}).one is not shared
        made = ADict({"one": shared, "two": shared})
        assert made.one is made.two
        assert made.copy().one == adic.one

    def test_a_circle_cannot_become_a_config(self) -> None:
        with pytest.raises(ValueError, match="circular"):
            Config({"a": self.circular()})

    def test_a_config_does_not_hang_below_itself(self) -> None:
        cfg = Config(a={"b": 1})
        cfg.a.c = cfg
        assert cfg.a.c is not cfg
        assert cfg.a.c.a.b == 1
        assert "c" not in cfg.a.c.a
