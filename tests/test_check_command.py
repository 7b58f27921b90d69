"""python -m nnloss check: exit codes, files that are none, and that nothing in a file is run."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import psutil
import pytest

from nnloss._tensorflow import keras  # isort: skip
from nnloss import BINARY, DataError, TaskModel, compile_for_task
from nnloss.__main__ import app
from nnloss.commandline import status
from nnloss.course.augmentation import RandomAffine
from nnloss.pairing import limits
from nnloss.pairing.limits import Limited

layers, losses = keras.layers, keras.losses
Dense = layers.Dense

KERAS = keras.__version__
SAVE = "Save the model with model.save('name.keras')."
IN_PYTHON = "with nnloss.check_pairing(model)."
NONE_OF_KERAS = "must be made of Keras' own layers, activations and losses to be read; found "


def net(*ends, loss=None):
    model = keras.Sequential(
        [keras.Input((8,)), Dense(4, "relu", name="hidden"), *ends], name="net"
    )
    if loss is not None:
        model.compile(loss=loss)
    return model


def right(loss="categorical_crossentropy"):
    return net(Dense(3, "softmax", name="out"), loss=loss)


def saved(model, path):
    model.save(path)
    return path


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Give the parts of a right file, by name."""
    with zipfile.ZipFile(saved(right(), tmp_path_factory.mktemp("right") / "m.keras")) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def forge(contents, tmp_path):
    """Write a file from the parts of a right one, with the description or the metadata changed."""

    def write(change=None, compression=zipfile.ZIP_STORED, **parts):
        files = {**contents, **{f"{name}.json": text for name, text in parts.items()}}
        files.pop("model.weights.h5")  # only the description is read
        if change:
            config = json.loads(files["config.json"])
            files["config.json"] = json.dumps(change(config) or config)
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, text in files.items():
                if text is not None:
                    archive.writestr(name, text)
        return path

    return write


class Direct(Limited):
    """Calls the function in this process: to start another one for each test takes minutes."""

    def __call__(self, *arguments):
        return self._function(*arguments, lambda: None)


@pytest.fixture
def check(monkeypatch, capsys):
    """Run the command in this process; give its status, output and errors."""
    monkeypatch.setattr("nnloss.pairing.command.Limited", Direct)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nnloss", "check", *map(str, arguments)])
        code = status(app)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def refused(check):
    """Run the command on a file that it must refuse; give the one line, without its start."""

    def run(*arguments):
        code, out, err = check(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"Error: '{arguments[0]}' ")
        assert err.count("\n") == 1
        return err.removeprefix(f"Error: '{arguments[0]}' ").rstrip("\n")

    return run


def hidden(config, **changes):
    """Change the hidden layer."""
    config["config"]["layers"][1]["config"].update(changes)


def layer(description, **changes):
    """Make the hidden layer another one."""
    description["config"]["layers"][1].update(changes)


def function(module, name):
    return {"class_name": "function", "module": module, "config": name, "registered_name": name}


CODE = {"class_name": "__lambda__", "config": {"code": "4wEA"}, "module": "builtins"}


# Exit codes and output.


def test_the_exit_code_in_a_process_of_its_own(python, tmp_path):
    path = str(saved(right(), tmp_path / "right.keras"))
    done = python("-m", "nnloss", "check", path, "--loss", "bce", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["verdict"] == "wrong"


def test_augmentation_of_the_course_is_read_where_its_class_is_not_known(python, tmp_path):
    """In a process of its own: here the class is registered."""
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), RandomAffine(), layers.Flatten(), Dense(3, "softmax", name="out")]
    )
    model.compile(loss="categorical_crossentropy")
    done = python(
        "-m", "nnloss", "check", str(saved(model, tmp_path / "augmented.keras")), "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["verdict"] == "right"


def test_exit_codes(check, tmp_path):
    path = str(saved(right(), tmp_path / "right.keras"))
    code, out, err = check(path)
    assert (code, err) == (0, "")
    assert out.startswith("net: right\n  output 'out', right: The loss ")
    assert check(path + "x") == (
        2,
        "",
        f"Error: '{path}x' must be a .keras file; the system reports: No such file or directory. "
        "Check the name.\n",
    )


def test_json(check, tmp_path):
    path = saved(right(losses.CategoricalCrossentropy(from_logits=True)), tmp_path / "m.keras")
    code, out, err = check(path, "--json")
    report = json.loads(out)
    assert (code, err) == (1, "")
    assert (report["model"], report["verdict"]) == ("net", "wrong")
    (finding,) = report["findings"]
    assert finding["found"].endswith("Dense(3, activation='softmax'): double softmax")
    assert set(finding) == {"output", "verdict", "rule", "found", "remedy"}


def test_a_loss_may_be_asked_about(check, tmp_path):
    path = saved(right(), tmp_path / "m.keras")
    assert check(path)[0] == 0
    assert check(path, "--loss", "sparse_categorical_crossentropy")[0] == 0
    assert check(path, "--loss", "mse")[0] == 1
    assert check(path, "--loss", "hinge")[0] == 2
    for unknown in ("mean_squared_eror", ""):
        text = f"Error: The loss must be one that Keras knows; found '{unknown}'. See keras.losses."
        assert check(path, "--loss", unknown) == (2, "", text + "\n")


def test_what_is_unknown_is_2(check, tmp_path):
    code, out, err = check(saved(net(Dense(1)), tmp_path / "m.keras"))
    assert (code, err) == (2, "")
    assert out.startswith("net: unknown\n")


def test_several_files_give_the_highest_status(check, tmp_path):
    good = saved(right(), tmp_path / "good.keras")
    bad = saved(right("mse"), tmp_path / "bad.keras")
    code, out, err = check(good, bad)
    assert (code, err) == (1, "")
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        str(good), "net: right", str(bad), "net: wrong",
    ]  # fmt: skip
    assert check(good, good)[0] == 0
    missing = tmp_path / "missing.keras"
    code, out, err = check(good, missing, bad, "--json")
    assert code == 2
    assert err.startswith(f"Error: '{missing}' must be a .keras file; ")
    assert err.count("\n") == 1
    found = [(report["file"], report["verdict"]) for report in json.loads(out)]
    assert found == [(str(good), "right"), (str(bad), "wrong")]


def two_outputs(kind):
    x = keras.Input((8,))
    price, label = Dense(1, name="price")(x), Dense(3, "softmax", name="label")(x)
    structure = {"price": price, "label": label} if kind is dict else [price, label]
    model = keras.Model(x, structure, name="net")
    given = {"price": "mse", "label": losses.CategoricalCrossentropy()}
    model.compile(loss=given if kind is dict else list(given.values()))
    return model


@pytest.mark.parametrize("kind", [list, dict])
def test_losses_of_several_outputs(kind, check, tmp_path):
    path = saved(two_outputs(kind), tmp_path / "m.keras")
    code, out, _ = check(path, "--json")
    names = ["label", "price"] if kind is dict else ["price", "label"]
    assert [finding["output"] for finding in json.loads(out)["findings"]] == names
    assert code == 0
    assert check(path, "--loss", "mse")[0] == 1


def test_a_task_model(check, tmp_path):
    x = keras.Input((8,))
    model = TaskModel(x, Dense(1, "sigmoid")(x), task=BINARY)
    keras.saving.save_model(compile_for_task(model, BINARY), tmp_path / "m.keras")
    assert check(tmp_path / "m.keras")[0] == 0
    assert check(tmp_path / "m.keras", "--loss", "mse")[0] == 1


def own_loss(y_true, y_pred):
    return keras.ops.mean(y_true - y_pred)


@keras.saving.register_keras_serializable("mine")
class RegisteredLoss(losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(y_true - y_pred, axis=-1)


class Unregistered(RegisteredLoss):
    pass


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (own_loss, "own_loss"),
        (RegisteredLoss(), "RegisteredLoss"),
        (Unregistered(), "Unregistered"),
        (lambda y_true, y_pred: y_true - y_pred, "a lambda"),
    ],
)
def test_a_loss_of_ones_own_is_unknown(loss, name, check, tmp_path):
    path = saved(right(loss), tmp_path / "m.keras")
    code, out, err = check(path, "--json")
    assert (code, err) == (2, "")
    assert json.loads(out)["findings"][0]["found"].endswith(
        f", with the loss '{name}', which nnloss does not recognise as a likelihood"
    )
    assert check(path, "--loss", "cce")[0] == 0


def test_what_a_model_inside_was_compiled_with_does_not_matter(check, tmp_path):
    inner = keras.Sequential([keras.Input((4,)), Dense(4)])
    inner.compile(loss=own_loss)
    model = net(inner, Dense(3, "softmax"), loss="categorical_crossentropy")
    assert check(saved(model, tmp_path / "m.keras"))[0] == 0


def test_weights_are_neither_made_nor_read(check, forge):
    def widen(config):
        config["config"]["layers"][2]["config"]["units"] = 10**13

    assert check(forge(widen))[0] == 0
    # Nor later, when Keras next makes all the weights that it remembers to be without numbers.
    with keras.StatelessScope():
        pass
    assert net().weights[0].shape == (8, 4)


def test_names_cannot_act_on_the_terminal(check, forge):
    def rename(config):
        config["config"]["name"] = "a\n\x1b[31m\ud800"

    code, out, _ = check(forge(rename))
    assert (code, out.splitlines()[0]) == (0, r"a\n\x1b[31m\ud800: right")


def test_stopped_with_ctrl_c(check, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("nnloss.pairing.saved.read_model", stop)
    assert check("m.keras") == (130, "", "Interrupted.\n")


def test_ctrl_c_in_a_process_of_its_own(forge):
    def deepen(config):  # so that Keras takes seconds to build it
        first, layer, *rest = config["config"]["layers"]
        deep = [
            {**layer, "config": {**layer["config"], "name": f"deep{number}", "units": 8}}
            for number in range(100)
        ]
        config["config"]["layers"] = [first, *deep, layer, *rest]

    command = [sys.executable, "-X", "importtime", "-m", "nnloss", "check", str(forge(deepen))]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        # Each module is told when it has been imported, and the model is built after this one.
        next(line for line in process.stderr if line.split()[-1] == "nnloss._keras")
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    said = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, out, said) == (130, "", ["Interrupted."])


# Files that are none.

NO_ZIP = f"must be a .keras file; it is not one, or is truncated: File is not a zip file. {SAVE}"
BYTES = {
    "empty": (lambda right: b"", NO_ZIP),
    "text": (lambda right: b"hello", NO_ZIP),
    "truncated": (lambda right: right[: len(right) // 2], NO_ZIP),
    "HDF5": (
        lambda right: b"\x89HDF\r\n\x1a\n" + right,
        "must be a .keras file; it is an HDF5 file, as older versions of Keras wrote. "
        "Load it in Python, and save it with model.save('name.keras').",
    ),
}


@pytest.mark.parametrize("name", ["m.keras", "two\nlines.keras", "no\udce9utf8.keras"])
@pytest.mark.parametrize(("make", "text"), BYTES.values(), ids=BYTES)
def test_files_that_are_none(make, text, name, check, forge, tmp_path):
    path = tmp_path / name
    path.write_bytes(make(forge().read_bytes()))
    shown = str(path).replace("\n", " ").replace("\udce9", r"\udce9")
    assert check(path) == (2, "", f"Error: '{shown}' {text}\n")


def test_folder_and_names(refused, check, forge, tmp_path):
    assert refused(tmp_path) == f"must be a .keras file; it is a folder. {SAVE}"
    (tmp_path / "loop").symlink_to("loop")
    text = "must be a .keras file; the system reports: {}. Check the name."
    assert refused(tmp_path / "loop") == text.format("Too many levels of symbolic links")
    assert refused(tmp_path / ("x" * 300)) == text.format("File name too long")
    assert refused(forge() / "x") == text.format("Not a directory")
    (tmp_path / "link").symlink_to("model.keras")
    assert check(tmp_path / "link")[0] == 0


def test_a_file_that_may_not_be_read(refused, forge, monkeypatch):
    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")  # root may read everything

    path = forge()
    monkeypatch.setattr(type(path), "open", deny)
    text = "must be a .keras file; the system reports: Permission denied. Check the name."
    assert refused(path) == text


def test_pipes_and_devices_are_not_waited_for(python, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code = (
        "import sys\n"
        "from nnloss.__main__ import app\n"
        "from nnloss.commandline import status\n"
        "for sys.argv[2:] in [sys.argv[2:3], sys.argv[3:]]:\n"
        "    print(status(app), 'keras' in sys.modules)\n"
    )
    done = python("-c", code, "check", str(tmp_path / "pipe"), "/dev/null")
    assert done.stdout.split() == ["2", "False"] * 2
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all("it is a pipe or device, not a file" in line for line in lines)


DAMAGED = {
    "no metadata": (
        {"metadata": None},
        "There is no item named 'metadata.json' in the archive",
    ),
    "no description": (
        {"config": None},
        "There is no item named 'config.json' in the archive",
    ),
    "no JSON": (
        {"config": "{"},
        "its description is damaged: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)",
    ),
    "no text": (
        {"config": b"{\xff"},
        "its description is damaged: 'utf-8' codec can't decode byte 0xff in position 1: "
        "invalid start byte",
    ),
    "list": ({"config": "[1, 2]"}, "its description is not a mapping"),
    "null": ({"config": "null"}, "its description is not a mapping"),
    "list as metadata": ({"metadata": "[]"}, "its description is not a mapping"),
    "nested": ({"config": "[" * 100_000 + "]" * 100_000}, "its description is nested too deeply"),
}


@pytest.mark.parametrize(("parts", "found"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_descriptions(parts, found, refused, forge):
    assert refused(forge(**parts)) == f"must be a .keras file; {found}. {SAVE}"


def test_a_description_that_is_larger_when_unpacked(refused, forge):
    path = forge(config=b" " * (65 * 2**20), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    text = "its description is damaged: config.json has more than 4194304 bytes"
    assert refused(path) == f"must be a .keras file; {text}. {SAVE}"


def behave(file, how, started):
    """Stand for the check of a file."""
    started()
    if how == "long":
        while True:
            pass
    if how == "much":
        return bytearray(2 * 2**30)[-1]
    if how == "crash":
        os.abort()
    if how == "wrong":
        raise KeyError(file)
    return os.getpid()


QUICKLY = "'m' must be a model that can be checked quickly and in little memory"


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("long", "it takes more than 1 s"),
        ("much", "it takes more than 0.25 GiB of memory"),
        ("crash", "the process that checked it died"),
    ],
)
def test_a_check_has_limits_and_the_next_file_is_checked(monkeypatch, how, found):
    monkeypatch.setattr(limits, "SECONDS", 1)
    monkeypatch.setattr(limits, "BYTES", 2**28)
    with Limited(behave) as limited:
        first = limited("m", "well")
        with pytest.raises(DataError) as caught:
            limited("m", how)
        assert str(caught.value).startswith(f"{QUICKLY}; {found}. Check the model in Python")
        assert not psutil.pid_exists(first)
        second = limited("m", "well")
        assert limited("m", "well") == second != os.getpid()
    assert not psutil.pid_exists(second)


def test_an_error_of_the_check_is_raised_with_its_traceback():
    with Limited(behave) as limited, pytest.raises(KeyError) as caught:
        limited("m", "wrong")
    assert "raise KeyError(file)" in caught.value.__notes__[0]


def test_a_model_that_needs_much_memory(forge, python):
    def widen(config):
        shape = {"build_config": {"input_shape": [None, 10**9]}}
        first, *rest = config["config"]["layers"]
        first["config"]["batch_shape"] = [None, 10**9]
        normal = {"class_name": "Normalization", "module": "keras.layers", "config": {"axis": -1}}
        config["config"]["layers"] = [first, normal | shape, *rest[1:]]

    path = forge(widen)
    done = python("-m", "nnloss", "check", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"Error: '{path}' must be a model that can be checked quickly and in little memory; "
        "it takes more than 0.5 GiB of memory. Check the model in Python"
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packed_bytes_that_are_changed(method, refused, forge):
    path = forge(compression=method)
    data = bytearray(path.read_bytes())
    start = data.find(b"config.json") + len(b"config.json") + 8
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    assert refused(path).startswith("must be a .keras file; ")


@pytest.mark.parametrize(
    ("version", "shown"),
    [("2.15.0", "2.15.0"), ("4.0", "4.0"), (None, "of an unknown version")],
)
def test_another_version(version, shown, refused, forge):
    metadata = json.dumps({"keras_version": version} if version else {})
    assert refused(forge(metadata=metadata)) == (
        f"must be a file of Keras 3; it was written by Keras {shown}. "
        f"Load it there, and save it with Keras {KERAS}."
    )


def nest(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


# a change of a right description, and the start of the rest of the line
CANNOT_BE_BUILT = {
    "empty": (lambda config: config.clear(), "must describe a Keras model; found dict."),
    "no class": (
        lambda config: config.pop("class_name") and None,
        f"must be a model that Keras {KERAS} can build; ",
    ),
    "a layer": (
        lambda config: config["config"]["layers"][1],
        "must describe a Keras model; found Dense.",
    ),
    "class is a list": (
        lambda config: config.update(class_name=["a"]),
        f"must be a model that Keras {KERAS} can build; it was written by Keras {KERAS}, and "
        "building it gave TypeError: unhashable type: 'list'. Load it where it was made, ",
    ),
    "units below 0": (
        lambda config: hidden(config, units=-1),
        f"must be a model that Keras {KERAS} can build; it was written by Keras {KERAS}, and "
        "building it gave TypeError: Received an invalid value for `units`, expected a positive "
        "integer. Received: units=-1. Load it where it was made, ",
    ),
    "compiled with a list": (
        lambda config: config.update(compile_config=[1]),
        "must be a .keras file; its loss is not a mapping.",
    ),
    "a number as loss": (
        lambda config: config.update(compile_config={"loss": 5}),
        "must have a loss of Keras; found 5. Give one: --loss NAME.",
    ),
    "a loss without options": (
        lambda config: config.update(compile_config={"loss": {"class_name": "Huber"}}),
        "must have a loss of Keras; found {'class_name': 'Huber'}. Give one: --loss NAME.",
    ),
    "losses nested": (
        # Python 3.11 counts the calls that read and write JSON among its 1,000, later ones do not.
        lambda config: config.update(
            compile_config={"loss": nest(900 if sys.version_info < (3, 12) else 1000)}
        ),
        "must be a .keras file; its description is nested too deeply.",
    ),
}


@pytest.mark.parametrize(("change", "text"), CANNOT_BE_BUILT.values(), ids=CANNOT_BE_BUILT)
def test_descriptions_that_cannot_be_built(change, text, refused, forge):
    assert refused(forge(change)).startswith(text)


def test_a_loss_that_keras_does_not_know(check, forge):
    path = forge(lambda config: config.update(compile_config={"loss": "no_such_loss"}))
    text = "Error: The loss must be one that Keras knows; found 'no_such_loss'. See keras.losses."
    assert check(path) == (2, "", text + "\n")


# Code.


class Pickled:
    """What leaves a file when it is unpickled."""

    def __reduce__(self):
        return open, ("run by pickle", "w")


PICKLED = base64.b64encode(pickle.dumps(Pickled())).decode()
WITH_CODE = {
    "Lambda": lambda config: layer(config, class_name="Lambda"),
    "Lambda by its home": lambda config: layer(
        config, class_name="Lambda", module="keras.src.layers.core.lambda_layer"
    ),
    "Lambda of old": lambda config: layer(config, class_name="Lambda", module=None),
    "Lambda in TimeDistributed": lambda config: layer(
        config,
        class_name="TimeDistributed",
        config={"layer": {"class_name": "Lambda", "module": "keras.layers", "config": {}}},
    ),
    "PyTorch": lambda config: layer(
        config, class_name="TorchModuleWrapper", config={"module": PICKLED}
    ),
    "TensorFlow": lambda config: layer(config, class_name="TFSMLayer"),
    "JAX": lambda config: layer(config, class_name="JaxLayer"),
    "lambda as activation": lambda config: hidden(config, activation=CODE),
    "lambda as initialiser": lambda config: hidden(config, kernel_initializer=CODE),
    "lambda in a list in a dict": lambda config: hidden(config, more={"more": [[CODE]]}),
}


@pytest.mark.parametrize("change", WITH_CODE.values(), ids=WITH_CODE)
def test_code_is_refused(change, refused, forge):
    assert re.fullmatch(
        "must contain no code: reading a model must not run any; found '[A-Za-z_]+'. Replace it by "
        "a layer of Keras, or check the model in Python where it is made, "
        f"{re.escape(IN_PYTHON)}",
        refused(forge(change)),
    )
    assert not Path("run by pickle").exists()


def test_code_is_not_run(refused, tmp_path):
    marker = tmp_path / "marker"
    path = str(marker)

    lambda_ = layers.Lambda(lambda x: (open(path, "w").close(), x)[1], output_shape=(4,))
    saved(net(lambda_, Dense(1)), tmp_path / "lambda.keras")
    marker.unlink(missing_ok=True)  # building it ran it
    assert refused(tmp_path / "lambda.keras").startswith("must contain no code")
    assert not marker.exists()


FOREIGN = {
    "os.system": (function("os", "system"), "system"),
    "exec": (function("builtins", "exec"), "exec"),
    "download": (function("keras.utils", "get_file"), "get_file"),
    "download by its home": (function("keras.src.utils.file_utils", "get_file"), "get_file"),
    "load": (function("keras.saving", "load_model"), "load_model"),
    "data": (function("keras.datasets.mnist", "load_data"), "load_data"),
    "setting": (function("keras.config", "set_floatx"), "set_floatx"),
    "safety": (
        function("keras.config", "enable_unsafe_deserialization"),
        "enable_unsafe_deserialization",
    ),
    "model as function": (function("keras", "Sequential"), "Sequential"),
    "module of the same start": (function("keras_own", "activation"), "activation"),
    "registered": (function("builtins", "mine>activation"), "activation"),
    "class of os": ({"class_name": "Popen", "module": "subprocess", "config": {}}, "Popen"),
    "function as class": (
        {"class_name": "get_file", "module": "keras.utils", "config": {}},
        "get_file",
    ),
    "system as class": ({"class_name": "system", "module": "os", "config": {}}, "system"),
}


@pytest.mark.parametrize("place", ["activation", "kernel_initializer"])
@pytest.mark.parametrize(("entry", "name"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_of_a_model_is_not_fetched(entry, name, place, refused, forge):
    text = refused(forge(lambda config: hidden(config, **{place: copy.deepcopy(entry)})))
    assert text == (
        f"{NONE_OF_KERAS}'{name}', which is not one of them. Check the model in Python where it is "
        f"defined, {IN_PYTHON}"
    )


@pytest.mark.parametrize("registered", ["of_the_user>Mine", None])
def test_a_module_of_the_users_is_not_imported(registered, refused, forge, monkeypatch, tmp_path):
    (tmp_path / "of_the_user.py").write_text("from keras.layers import Dense as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry = {"module": "of_the_user", "class_name": "Mine", "registered_name": registered}
    text = refused(forge(lambda config: layer(config, **entry)))
    assert text.startswith(f"{NONE_OF_KERAS}'Mine', which is not one of them.")
    assert "of_the_user" not in sys.modules


def test_a_word_list_of_the_reader_is_not_read(refused, forge, tmp_path):
    (tmp_path / "secret.txt").write_text("alpha\nbeta\n")
    entry = {
        "class_name": "StringLookup",
        "module": "keras.layers",
        "config": {"name": "hidden", "vocabulary": str(tmp_path / "secret.txt")},
    }
    assert refused(forge(lambda config: layer(config, **entry))).startswith("must be a model that")


def test_functions_of_keras_are_read(check, tmp_path):
    ends = Dense(4, keras.ops.relu), Dense(4, keras.activations.mish), Dense(3, keras.ops.softmax)
    assert check(saved(net(*ends, loss=losses.kl_divergence), tmp_path / "m.keras"))[0] == 0


# Backends.

READ = """
import sys
from nnloss.__main__ import app
from nnloss.commandline import status
from nnloss.course.augmentation import RandomAffine

paths = sys.argv[1:]
codes = []
for path in paths:
    sys.argv[1:] = ["check", path, "--json"]
    loaded = "tensorflow" in sys.modules
    codes.append(status(app))
    print(",")
print([*codes, loaded])
"""


@pytest.mark.backends
def test_the_other_backends_give_the_same(check, python, tmp_path):
    recurrent = layers.Bidirectional(layers.LSTM(3))
    models = {
        "right": right(),
        "double": right(losses.CategoricalCrossentropy(from_logits=True)),
        "own": right(own_loss),
        "several": two_outputs(dict),
        # At last, for this layer Keras loads TensorFlow on every backend.
        "recurrent": net(layers.Reshape((2, 2)), recurrent, loss="mse"),
    }
    paths = [saved(model, tmp_path / f"{name}.keras") for name, model in models.items()]
    here = [check(path, "--json") for path in paths]
    codes = [code for code, _, _ in here]
    assert codes == [0, 1, 2, 0, 1]
    expected = "".join(f"{out},\n" for _, out, _ in here) + f"{[*codes, False]}\n"
    for backend in ("jax", "numpy"):
        done = python("-c", READ, *map(str, paths), KERAS_BACKEND=backend)
        assert (backend, done.stdout, done.stderr) == (backend, expected, "")


def test_a_backend_that_is_not_there(python, forge):
    done = python("-m", "nnloss", "check", str(forge()), KERAS_BACKEND="theano")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: Keras must be able to load its backend; KERAS_BACKEND is 'theano': "
        "Unable to import backend : theano. Set it to one that is installed, such as tensorflow.\n"
    )
