"""The directory remembers for a moment, what isn't there included."""

from tenants.directory import MEMORY_SECONDS, Memory


def test_an_answer_is_remembered_and_then_asked_for_again(monkeypatch):
    now, asked = [100.0], []
    monkeypatch.setattr("tenants.directory.time.monotonic", lambda: now[0])

    def load(name):
        asked.append(name)
        return name.upper() if name != "nobody" else None

    memory = Memory(load)
    assert [memory.find("a"), memory.find("a"), memory.find("nobody"), memory.find("nobody")] == ["A", "A", None, None]
    assert asked == ["a", "nobody"]
    assert memory.known("nobody") == (True, None)
    now[0] += MEMORY_SECONDS + 0.1
    assert memory.known("a") == (False, None)
    assert memory.find("a") == "A"
    memory.forget()
    memory.find("a")
    assert asked == ["a", "nobody", "a", "a"]


def test_made_up_names_do_not_fill_a_process():
    memory = Memory(lambda name: None)
    for number in range(12_000):
        memory.find(str(number))
    assert len(memory._known) == 10_000
    assert memory.known("11999")[0]
    assert not memory.known("0")[0]
