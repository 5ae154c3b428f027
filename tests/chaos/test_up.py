"""`manage.py up` as an operator treats it: stopped, killed, started again."""

from __future__ import annotations

import signal

import psutil
import pytest

from benchmarks.product import Product

pytestmark = pytest.mark.slow


@pytest.fixture
def product(tmp_path):
    product = Product(tmp_path)
    yield product
    for process in product.processes():
        process.kill()


def gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=30)[1]


def test_ctrl_c_leaves_nothing_behind_and_kill_9_harms_nothing(product):
    product.start()
    first_examples, running = product.examples, product.processes()
    assert len(running) > 5
    assert product.stop(signal.SIGINT) == 0
    assert gone(running) == []
    assert product.processes() == []

    product.start()
    assert product.examples == first_examples  # its data was kept
    children = [p for p in product.processes() if "celery" in p.cmdline() or "uvicorn" in p.cmdline()]
    assert product.process
    product.process.kill()
    product.process.wait()
    assert gone(children) == []  # they do not outlive it

    product.start()
    assert product.examples == first_examples
    assert product.stop(signal.SIGTERM) == 0
    assert product.processes() == []


def test_a_second_start_in_the_same_folder_is_refused_and_a_taken_port_named(product):
    product.start()
    second = Product(product.folder)
    with pytest.raises(AssertionError, match="already running here"):
        second.start()
    other = Product(product.folder / "other", port=product.port)
    with pytest.raises(AssertionError, match=f"Port {product.port} is taken"):
        other.start()
    assert product.stop() == 0
