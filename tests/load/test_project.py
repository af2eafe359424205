"""Tests of where configs are found and where their results go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from typedcat import load_config
from typedcat.errors import ConfigFormatError, ConfigNotFoundError, ProjectError
from typedcat.load.project import Project, auto_rslt_dir, find_project, locate, result_dir


@pytest.fixture(autouse=True)
def working_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test runs in a folder of its own, without roots from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TYPEDCAT_CONFIG_ROOT", raising=False)
    monkeypatch.delenv("TYPEDCAT_EXPERIMENTS_ROOT", raising=False)
    return tmp_path


def write(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


class TestFindProject:
    def test_without_a_file_the_root_is_the_working_directory(self, tmp_path: Path) -> None:
        assert find_project() == Project(tmp_path, None, None)

    def test_the_nearest_pyproject_with_our_table_is_the_root(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nconfig_root = 'cfgs'\nexperiments_root = 'out'\n")
        write(tmp_path / "sub" / "pyproject.toml", "[project]\nname = 'typedcat-user'\n")
        (tmp_path / "sub" / "deep").mkdir()
        monkeypatch.chdir(tmp_path / "sub" / "deep")
        assert find_project() == Project(tmp_path, "cfgs", "out")

    def test_an_empty_table_marks_the_root(self, tmp_path: Path) -> None:
        write(tmp_path / "p" / "pyproject.toml", "[tool.typedcat]\n")
        assert find_project(tmp_path / "p" / "configs" / "cfg.py") == Project(tmp_path / "p")

    def test_environment_variables_win_and_empty_ones_do_not_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nconfig_root = 'cfgs'\nexperiments_root = 'out'\n")
        monkeypatch.setenv("TYPEDCAT_CONFIG_ROOT", "elsewhere")
        monkeypatch.setenv("TYPEDCAT_EXPERIMENTS_ROOT", "")
        assert find_project() == Project(tmp_path, "elsewhere", "out")

    def test_an_edited_file_is_read_again(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nconfig_root = 'a'\n")
        assert find_project().config_root == "a"
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nconfig_root = 'b'\n")
        assert find_project().config_root == "b"

    def test_an_unknown_setting_names_the_similar_one(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nexperiment_root = 'out'\n")
        with pytest.raises(ProjectError) as caught:
            find_project()
        assert str(caught.value) == (
            "pyproject.toml: [tool.typedcat] experiment_root: no such setting\n  did you mean 'experiments_root'?"
        )

    @pytest.mark.parametrize("line", ["config_root = 3", "config_root = ['a']"])
    def test_a_wrong_type_is_an_error(self, tmp_path: Path, line: str) -> None:
        write(tmp_path / "pyproject.toml", f"[tool.typedcat]\n{line}\n")
        with pytest.raises(ProjectError, match=r"config_root: a path in quotes is wanted, got"):
            find_project()

    def test_a_table_that_is_none_is_an_error(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool]\ntypedcat = 3\n")
        with pytest.raises(ProjectError, match=r"has to be a table"):
            find_project()

    def test_a_malformed_file_with_our_table_is_an_error_with_its_line(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nconfig_root = \n")
        with pytest.raises(ProjectError, match=r"pyproject.toml: \[tool.typedcat\] cannot be read: .*line 2"):
            find_project()

    @pytest.mark.parametrize("text", ["not toml", "dependencies = ['typedcat'\n", "[tool.typedcatalog\n"])
    def test_another_malformed_file_is_not_our_business(self, tmp_path: Path, text: str) -> None:
        write(tmp_path / "pyproject.toml", text)
        assert find_project() == Project(tmp_path)

    def test_a_folder_of_that_name_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").mkdir()
        assert find_project() == Project(tmp_path)

    def test_a_working_directory_that_was_removed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with pytest.raises(ProjectError, match=r"does not exist any more"):
            find_project()


class TestLocate:
    def test_absolute_relative_home_and_path_objects(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = write(tmp_path / "configs" / "base,lr=1e-2" / "cfg.py")
        project = Project(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in (
            str(file),
            file,
            "configs/base,lr=1e-2/cfg.py",
            Path("configs/../configs/base,lr=1e-2/cfg.py"),
            "~/configs/base,lr=1e-2/cfg.py",
        ):
            assert locate(name, project=project) == file

    def test_project_root_then_working_directory_then_the_naming_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root, here, beside = tmp_path / "root", tmp_path / "here", tmp_path / "beside"
        files = [write(folder / "cfg.py") for folder in (root, here, beside)]
        monkeypatch.chdir(here)
        for file in files:
            assert locate("cfg.py", project=Project(root), naming_file=beside / "child.py") == file
            file.unlink()
        with pytest.raises(ConfigNotFoundError) as caught:
            locate("cfg.py", project=Project(root), naming_file=beside / "child.py", what="base")
        assert caught.value.tried == tuple(files)
        assert str(caught.value) == (
            "cfg.py: no such base file\n"
            f"  looked for {files[0]}\n  looked for cfg.py in {here}\n  looked for {files[2]}\n"
            f"  it is named in {beside / 'child.py'}"
        )

    def test_the_folders_of_the_import_path_come_last(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        installed = write(tmp_path / "site-packages" / "lab" / "patches" / "cfg.py")
        mine = write(tmp_path / "mine" / "lab" / "patches" / "cfg.py")
        odd = [None, 3, b"lab", "", str(tmp_path / "gone"), str(write(tmp_path / "a.zip"))]
        monkeypatch.setattr(sys, "path", [*odd, str(tmp_path / "site-packages"), *sys.path])
        for name in ("lab/patches/cfg.py", "lab/patches/cfg"):
            assert locate(name, project=Project(tmp_path)) == installed
            assert locate(name, project=Project(tmp_path / "mine")) == mine
        for name in ("/lab/patches/cfg.py", "lab/patches", "lab/patches/nothing.py"):
            with pytest.raises(ConfigNotFoundError):
                locate(name, project=Project(tmp_path))

    def test_what_another_config_has_put_there_is_not_looked_at(self, tmp_path: Path) -> None:
        """Two projects in one process never get each other's files."""
        for name in ("one", "other"):
            write(tmp_path / name / "pyproject.toml", "[tool.typedcat]\n")
            child = "from typedcat import Config\ncfg = Config(caps='configs/base.py')\n"
            write(tmp_path / name / "configs/cfg.py", child)
        write(tmp_path / "one/configs/base.py", "from typedcat import Config\ncfg = Config(lr=0.1)\n")
        assert load_config(tmp_path / "one/configs/cfg.py", create_rslt_dir=False).lr == 0.1
        with pytest.raises(ConfigNotFoundError):
            load_config(tmp_path / "other/configs/cfg.py", create_rslt_dir=False)

    def test_links_stay_as_they_are(self, tmp_path: Path) -> None:
        file = write(tmp_path / "real" / "cfg.py")
        (tmp_path / "link").symlink_to(file.parent, target_is_directory=True)
        assert locate("link/cfg.py", project=Project(tmp_path)) == tmp_path / "link" / "cfg.py"

    @pytest.mark.parametrize("ending", [".py", ".yaml", ".yml", ".json", ".pkl"])
    def test_a_missing_ending_is_found(self, tmp_path: Path, ending: str) -> None:
        file = write(tmp_path / "configs" / f"wd=0.1{ending}")
        write(tmp_path / "configs" / "wd=0.1.txt")
        (tmp_path / "configs" / "wd=0.1").mkdir()
        assert locate("configs/wd=0.1", project=Project(tmp_path)) == file

    def test_several_endings_are_an_error_that_lists_them(self, tmp_path: Path) -> None:
        write(tmp_path / "cfg.py")
        write(tmp_path / "cfg.json")
        with pytest.raises(ConfigNotFoundError, match=r"several files fit: cfg.py, cfg.json\n  write the ending"):
            locate("cfg", project=Project(tmp_path))

    def test_another_ending_is_an_error(self, tmp_path: Path) -> None:
        write(tmp_path / "cfg.txt")
        with pytest.raises(
            ConfigFormatError, match=r"cfg.txt: a config ends in .py, .yaml, .yml, .json, .toml, .pkl; this"
        ):
            locate("cfg.txt", project=Project(tmp_path))

    def test_a_directory_says_which_file_in_it(self, tmp_path: Path) -> None:
        write(tmp_path / "configs" / "base" / "cfg.py")
        write(tmp_path / "configs" / "base" / "helpers.py")
        with pytest.raises(ConfigNotFoundError) as caught:
            locate("configs/base", project=Project(tmp_path))
        assert str(caught.value) == (
            "configs/base: is a directory, not a config file\n  did you mean 'configs/base/cfg.py'?"
        )

    @pytest.mark.parametrize("name", ["configs/mnst/base/cfg.py", "configs/mnist/bsae/cfg.pyy", "mnist/base/cfg.py"])
    def test_a_near_miss_is_suggested(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / "configs" / "mnist" / "base" / "cfg.py")
        with pytest.raises(ConfigNotFoundError, match=r"did you mean 'configs/mnist/base/cfg.py'"):
            locate(name, project=Project(tmp_path))

    @pytest.mark.parametrize("name", ["configs/small.py", "configs/smal.py", "configs/small.yaml", "small.py"])
    def test_a_config_that_has_a_folder_of_its_own_is_suggested(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / "configs" / "small" / "cfg.py")
        write(tmp_path / "configs" / "small" / "helpers.py")
        with pytest.raises(ConfigNotFoundError, match=r"did you mean 'configs/small/cfg.py'"):
            locate(name, project=Project(tmp_path))

    @pytest.mark.parametrize("name", ["", "nothing/like/it.py", "a\0b.py", "configs/*/cfg", "n" * 300 + ".py"])
    def test_what_is_not_there(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / "configs" / "base" / "cfg.py")
        with pytest.raises(ConfigNotFoundError, match=r"no such config file"):
            locate(name, project=Project(tmp_path))

    def test_a_missing_config_is_a_file_not_found_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            locate("missing.py", project=Project(tmp_path))


class TestPackages:
    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        site = tmp_path / "site"
        write(site / "lab_configs" / "__init__.py", "raise RuntimeError('was imported')")
        write(site / "lab_configs" / "base" / "cfg.py")
        write(site / "lab_namespace" / "base" / "cfg.yaml")
        write(site / "lab_module.py", "raise RuntimeError('was imported')")
        monkeypatch.syspath_prepend(site)
        return site

    def test_a_file_of_a_package_is_found_without_running_the_package(self, site: Path, tmp_path: Path) -> None:
        project = Project(tmp_path)
        assert locate("pkg:lab_configs/base/cfg.py", project=project) == site / "lab_configs" / "base" / "cfg.py"
        assert locate("pkg:lab_configs.base/cfg", project=project) == site / "lab_configs" / "base" / "cfg.py"
        assert (
            locate("pkg:lab_namespace/base/cfg.yaml", project=project) == site / "lab_namespace" / "base" / "cfg.yaml"
        )
        assert "lab_configs" not in sys.modules

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("pkg:lab_missing/cfg.py", "the package 'lab_missing' is not installed"),
            ("pkg:lab_module/cfg.py", "'lab_module' is a single module"),
            ("pkg:lab_configs/bsae/cfg.py", "no such config file\n.*\n  did you mean"),
            ("pkg:lab_configs/../cfg.py", "not a path into a package\n  write pkg:"),
            ("pkg:lab_configs", "not a path into a package"),
            ("pkg:/cfg.py", "not a path into a package"),
            ("pkg:lab configs/cfg.py", "not a path into a package"),
            ("pkg:__main__/cfg.py", "is not installed|is a single module"),
        ],
    )
    def test_errors(self, site: Path, tmp_path: Path, name: str, message: str) -> None:
        with pytest.raises(ConfigNotFoundError, match=message):
            locate(name, project=Project(tmp_path))

    def test_the_result_folder_carries_the_name_of_the_package(self, site: Path, tmp_path: Path) -> None:
        name = "pkg:lab_configs/base/cfg.py"
        project = Project(tmp_path)
        folder = result_dir(
            locate(name, project=project), config_root=None, experiments_root="exp", project=project, name=name
        )
        assert folder == "exp/lab_configs/base"
        assert auto_rslt_dir(name, "exp") == "exp/lab_configs/base"


class TestResultDir:
    @pytest.mark.parametrize(
        "folder",
        ["mnist/base", "MNIST/resnet18,wd=1e-5@run2", "VOC2012/swin-T,γ=10/10 epoch", "base,2xbs,2÷epo", "a..b/~"],
    )
    def test_it_mirrors_the_folder_of_the_config(self, tmp_path: Path, folder: str) -> None:
        file = tmp_path / "configs" / folder / "cfg.py"
        assert auto_rslt_dir(str(file)) == folder
        assert (
            auto_rslt_dir(f"configs/{folder}/cfg.py", experiments_root="/tmp/experiment") == f"/tmp/experiment/{folder}"
        )
        assert auto_rslt_dir(file, "./experiment", "./configs") == f"./experiment/{folder}"
        assert auto_rslt_dir(file, config_root=tmp_path / "configs", trunc_cwd=True) == folder

    def test_a_config_directly_in_the_root(self, tmp_path: Path) -> None:
        assert auto_rslt_dir("configs/cfg.py") == "."
        assert auto_rslt_dir("configs/cfg.py", "experiment") == "experiment"

    def test_the_roots_of_the_project_are_the_defaults(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nconfig_root = 'lab'\nexperiments_root = 'out'\n")
        assert auto_rslt_dir("lab/a/cfg.py") == "out/a"
        assert auto_rslt_dir("lab/a/cfg.py", experiments_root="") == "a"
        assert auto_rslt_dir("other/a/cfg.py", config_root="other") == "out/a"

    def test_relative_roots_count_from_the_project_root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\nexperiments_root = 'out'\n")
        write(tmp_path / "configs" / "a" / "cfg.py")
        (tmp_path / "notebooks").mkdir()
        monkeypatch.chdir(tmp_path / "notebooks")
        assert auto_rslt_dir("configs/a/cfg.py") == str(tmp_path / "out" / "a")
        assert auto_rslt_dir("../configs/a/cfg.py", "/exp") == "/exp/a"

    def test_the_config_root_may_lie_in_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path / "pyproject.toml", "[tool.typedcat]\n")
        file = write(tmp_path / "sub" / "configs" / "a" / "cfg.py")
        monkeypatch.chdir(tmp_path / "sub")
        assert auto_rslt_dir("configs/a/cfg.py", "/exp") == "/exp/a"
        assert auto_rslt_dir(file, "exp", trunc_cwd=True) == "exp/a"

    @pytest.mark.parametrize("name", ["cfg.py", "../a/cfg.py", "configs/../a/cfg.py", "configs2/a/cfg.py"])
    def test_a_config_outside_of_the_root_has_no_result_folder(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ProjectError, match=r"lies outside of the config root configs.*\n  pass config_root="):
            auto_rslt_dir(name, "experiment")

    @pytest.mark.parametrize("name", ["cfg.py", "configs/a/cfg.py"])
    def test_it_can_be_deleted_from_any_config(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / name, "from typedcat import Config\ncfg = Config(lr=0.1)\n")
        cfg = load_config(name, create_rslt_dir=False).unfreeze()
        del cfg.rslt_dir
        assert cfg == {"lr": 0.1}
        with pytest.raises(KeyError):
            del cfg.momentum

    def test_a_linked_config_root(self, tmp_path: Path) -> None:
        file = write(tmp_path / "data" / "a" / "cfg.py")
        (tmp_path / "configs").symlink_to(tmp_path / "data", target_is_directory=True)
        assert auto_rslt_dir("configs/a/cfg.py") == "a"
        assert auto_rslt_dir(file) == "a"
        (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        write(tmp_path / "elsewhere" / "cfg.py")
        assert auto_rslt_dir("configs/b/cfg.py") == "b"

    def test_an_empty_path(self) -> None:
        with pytest.raises(ProjectError, match=r"empty path"):
            auto_rslt_dir("")

    def test_home_in_the_roots(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert auto_rslt_dir("configs/a/cfg.py", "~/exp", "~/configs") == os.path.join(tmp_path, "exp", "a")
