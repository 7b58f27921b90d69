"""Reading of the architecture, loss and metrics in a ``.keras`` file without running its code.

The weights are not read. The description is checked before Keras builds the model: custom objects
would have to be imported, and a Lambda contains code.
"""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnloss.errors import DataError

#: Maximum size of a description in bytes; a large network needs a few hundred thousand.
LARGEST = 4 * 2**20
#: Layers and functions that contain code, or load it from elsewhere.
_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_REMEDY = "Save the model with model.save('name.keras')"
#: Keras modules with the functions that a layer or a loss may have.
_HOMES = (
    "activations", "constraints", "initializers", "losses", "metrics", "ops", "regularizers",
)  # fmt: skip


@dataclass(frozen=True)
class Unknown:
    """Placeholder for a loss or metric whose code is not in the file, with its name."""

    __name__: str


@dataclass(frozen=True)
class Saved:
    """A model from a file, not compiled and without weights, with its loss and metrics.

    `loss` is as given to ``compile``, and `metrics` holds the metrics and the weighted metrics;
    custom ones are `Unknown`.
    """

    model: Any
    loss: Any = None
    metrics: list[Any] = field(default_factory=list)


def read_model(
    path: Path, *, compiled: bool = True, started: Callable[[], None] = lambda: None
) -> Saved:
    """Build the model that a ``.keras`` file describes, without weights.

    If `compiled`, also read its loss and metrics. Call `started` when Keras has been imported,
    before anything is built. Raise DataError if the file is missing, damaged,
    not a Keras file or from another major version, or if it contains or needs code.
    """
    try:
        return _read(path, compiled=compiled, started=started)
    except RecursionError as error:
        raise DataError(
            f"'{path}' must be a .keras file", "its description is nested too deeply", _REMEDY
        ) from error


def _read(path: Path, *, compiled: bool, started: Callable[[], None]) -> Saved:
    config, version = _description(path)
    from nnloss._keras import keras

    started()
    ours = keras.__version__
    if version.partition(".")[0] != ours.partition(".")[0]:
        raise DataError(
            f"'{path}' must be a file of Keras {ours.partition('.')[0]}",
            f"it was written by Keras {version or 'of an unknown version'}",
            f"Load it there, and save it with Keras {ours}",
        )
    settings = config.get("compile_config") or {}
    if not isinstance(settings, dict):
        raise DataError(f"'{path}' must be a .keras file", "its loss is not a mapping", _REMEDY)
    for entry in _objects(config):  # do not build the loss of a model or a nested model
        entry.pop("compile_config", None)
    _require_no_code(config, path)
    model = _built(config, path, version)
    if not isinstance(model, keras.Model):
        raise DataError(
            f"'{path}' must describe a Keras model", f"found {type(model).__name__}", _REMEDY
        )
    if not compiled:
        return Saved(model)
    loss, *metrics = (
        _compiled(settings.get(name), path, version)
        for name in ("loss", "metrics", "weighted_metrics")
    )
    return Saved(model, loss, metrics)


def _description(path: Path) -> tuple[dict[str, Any], str]:
    """Return the description of the model and the Keras version that wrote it."""
    rule = f"'{path}' must be a .keras file"
    try:
        if path.is_dir():
            raise DataError(rule, "it is a folder", _REMEDY)
        if path.exists() and not path.is_file():  # a pipe or device may never end
            raise DataError(rule, "it is a pipe or device, not a file", _REMEDY)
        with path.open("rb") as file:
            start = file.read(8)
        if start == b"\x89HDF\r\n\x1a\n":
            raise DataError(
                rule,
                "it is an HDF5 file, as older versions of Keras wrote",
                "Load it in Python, and save it with model.save('name.keras')",
            )
        with zipfile.ZipFile(path) as archive:
            texts = {name: _member(archive, name) for name in ("metadata.json", "config.json")}
        metadata, config = (json.loads(text) for text in texts.values())
    except OSError as error:
        raise DataError(
            rule, f"the system reports: {error.strerror or error}", "Check the name"
        ) from error
    except RecursionError:
        raise
    except (*_DAMAGE, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(rule, f"it is not one, or is truncated: {error}", _REMEDY) from error
    except KeyError as error:
        raise DataError(rule, str(error.args[0]), _REMEDY) from error
    except DataError:
        raise
    except ValueError as error:
        raise DataError(rule, f"its description is damaged: {error}", _REMEDY) from error
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise DataError(rule, "its description is not a mapping", _REMEDY)
    return config, str(metadata.get("keras_version", ""))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"{name} has more than {LARGEST} bytes")
    return text


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every description of a class or function, at any depth."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _foreign(entry: dict[str, Any]) -> str | None:
    """Return the name of an entry if no model of Keras or nnloss can contain it, else None."""
    # The config of a function is its name; a registered name is "package>name".
    function = entry["class_name"] == "function"
    given = str(entry.get("config") if function else entry.get("registered_name") or "")
    package, _, name = given.rpartition(">")
    module, kind = str(entry.get("module") or "keras"), str(entry["class_name"])
    root = module.partition(".")[0]
    if package not in ("", "nnloss") or root not in ("keras", "builtins", "nnloss"):
        return name or kind
    if function:
        return None if _is_function(module, given) else given
    found = _public(module, kind)
    return None if found is None or isinstance(found, type) else kind


def _is_function(module: str, name: str) -> bool:
    """Return whether a function of Keras is an activation, a loss or similar."""
    homes = _HOMES if module == "builtins" else (module.removeprefix("keras."),)
    return any(home in _HOMES and callable(_public(f"keras.{home}", name)) for home in homes)


def _public(module: str, name: str) -> Any:
    """Return the object that Keras has under a name, without importing anything."""
    from nnloss._keras import keras

    found: Any = keras if module.partition(".")[0] == "keras" else None
    for part in [*module.split(".")[1:], name]:
        found = getattr(found, part, None)
    return found


def _require_no_code(config: Any, path: Path) -> None:
    for entry in _objects(config):
        if entry["class_name"] in _CODE:
            raise DataError(
                f"'{path}' must contain no code: reading a model must not run any",
                f"found '{entry['class_name']}'",
                "Replace it by a layer of Keras, or check the model in Python where it is made, "
                "with nnloss.check_pairing(model)",
            )
        own = _foreign(entry)
        if own:
            raise DataError(
                f"'{path}' must be made of Keras' own layers, activations and losses to be read",
                f"found '{own}', which is not one of them",
                "Check the model in Python where it is defined, with nnloss.check_pairing(model)",
            )


def _built(config: Any, path: Path, version: str) -> Any:
    from nnloss._keras import keras

    try:
        for entry in _objects(config):
            if entry.get("registered_name") == "nnloss>TaskModel":
                entry.update(entry["config"]["model"])  # its functional model
            elif entry.get("registered_name") == "nnloss>RandomAffine":
                # It changes nothing outside training, and its module is above this one.
                own = {key: entry["config"][key] for key in ("name", "trainable", "dtype")}
                entry |= {"module": "keras.layers", "class_name": "Identity", "config": own}
                entry["registered_name"] = None
        # Keras remembers uninitialised weights by thread and would initialise them later.
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(_without_weights, config).result()
    except Exception as error:  # Keras may raise any error for a damaged description
        cause = " ".join(str(error).rpartition("Exception encountered: ")[2].split())
        raise DataError(
            f"'{path}' must be a model that Keras {keras.__version__} can build",
            f"it was written by Keras {version}, and building it gave "
            f"{type(error).__name__}: {cause[:200].rstrip('. ')}",
            f"Load it where it was made, and save it again with Keras {keras.__version__}",
        ) from error


def _without_weights(config: Any) -> Any:
    """Build a model without initialising or storing its weights, which may be large."""
    from nnloss._keras import keras

    with keras.StatelessScope(initialize_variables=False):
        return keras.saving.deserialize_keras_object(config, safe_mode=True)


def _compiled(config: Any, path: Path, version: str) -> Any:
    """Build a loss or a metric, or several in a dict or list."""
    if isinstance(config, dict) and "class_name" not in config:
        return {key: _compiled(value, path, version) for key, value in config.items()}
    if isinstance(config, list):
        return [_compiled(value, path, version) for value in config]
    for entry in _objects(config):
        if entry["class_name"] in _CODE:
            return Unknown("a lambda")
        if own := _foreign(entry):
            return Unknown(own)
    found = config if isinstance(config, str | None) else _built(config, path, version)
    if not isinstance(found, str | None) and not callable(found):
        raise DataError(
            f"'{path}' must have a loss of Keras", f"found {found!r}", "Give one: --loss NAME"
        )
    return found
