"""Test that the process can give free memory back to the system, with any memory allocator."""

from training.memory import give_back, resident_bytes


def test_the_process_knows_what_it_holds_and_may_give_back():
    held = resident_bytes()

    give_back()

    assert 10 << 20 < held < 1 << 40
    assert resident_bytes() > 0
