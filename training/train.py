"""The training loop on CPU or CUDA. It can continue from its last checkpoint.

`OUT/state.pt` contains all the state that is needed to continue. `OUT/weights.safetensors` and its manifest contain the
averaged network (the running mean of the weights), which the site can use.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from segmentation.network import InvertedResidual, KeylineUNet, NetworkConfig
from segmentation.network_file import load_network
from training.bank import Bank, bank_from
from training.clicks import prompt_planes
from training.data import Entry, entries, held_out
from training.depthwise import hasten
from training.export import export
from training.gradients import Gradients
from training.losses import training_loss
from training.memory import give_back, resident_bytes
from training.mixture import Mixture, draw, possible
from training.optimiser import optimisers
from training.pretrained import inherit, load_encoder

LOSS_SMOOTHING = 0.02
SPELL = 24  # steps at one size: memory and kernels are prepared once per size
TRAINED = NetworkConfig(prompt_planes=3, attention_blocks=2)
CONTINUED = {"muon_rate": 0.65, "adam_rate": 0.6, "encoder_rate": 0.43}  # share of the first learning rates
MOST_BYTES = 9 << 30  # bytes of memory above which unused memory is returned
MOST_FAULTS = 3  # how often a run goes back to the same checkpoint
EDGES_COME = (0.45, 0.75)  # the weight of edges grows between these completed shares of a schedule
BANK_SHARE = 1.375  # share of a stage's side: the largest factor in `scales`, and a tenth more, because crops enlarge


@dataclass(frozen=True)
class Schedule:
    """The length, picture sizes and learning rates of a training run.

    The length is a number of pictures, or a time in minutes if `pictures` is 0. Picture sizes increase during the run.
    """

    minutes: float = 0.0
    pictures: int = 0
    size: int = 320  # the middle size of the last stage; earlier stages use smaller sizes
    batch: int = 16
    workers: int = 1  # parts of a batch that are computed in parallel
    stages: tuple[tuple[float, float], ...] = ((0.6, 0.6), (0.92, 0.8), (1.0, 1.0))  # (until, share of size)
    scales: tuple[float, ...] = (0.75, 0.875, 1.0, 1.125, 1.25)  # factors of a stage's size, one for each spell
    muon_rate: float = 0.02
    adam_rate: float = 1e-3
    encoder_rate: float = 3e-4
    warm_up_steps: int = 50
    last_rate: float = 0.02  # share of the rates that remains at the end
    averaging: float = 0.999
    drop: float = 0.15  # probability of skipping the encoder's last block
    checkpoint_s: float = 240.0
    line_s: float = 20.0

    def done(self, seen: int, spent_s: float) -> float:
        """Return the completed share of the schedule, from 0 to 1 or slightly above.

        seen: the number of processed pictures.
        spent_s: the time spent, in seconds.
        """
        return seen / self.pictures if self.pictures else spent_s / (self.minutes * 60)

    def edges_at(self, done: float) -> float:
        """Return the value of `edges` for the loss, 0..1 (see `matte_loss`).

        The value increases during training, so that the network learns shapes first.

        done: the completed share of the schedule, 0..1.
        """
        since, until = EDGES_COME
        return min(max((done - since) / (until - since), 0.0), 1.0)

    def size_at(self, done: float) -> int:
        """Return the picture's side in pixels, a multiple of 32, at a completed share `done`."""
        share = next((share for until, share in self.stages if done < until), self.stages[-1][1])
        return _multiple(self.size * share)

    def size_of(self, done: float, step: int) -> int:
        """Return the picture's side of one step, in pixels, a multiple of 32.

        It is the side at the completed share `done`, times a random factor that changes every SPELL steps.
        """
        spell = torch.Generator().manual_seed(step // SPELL)
        scale = self.scales[int(torch.randint(len(self.scales), (), generator=spell))]
        return _multiple(self.size_at(done) * scale)

    def rate_at(self, done: float, step: int) -> float:
        """Return the factor, above 0 and up to 1, by which the learning rates are multiplied.

        The factor rises linearly over the first steps, and then follows a cosine.

        done: the completed share of the schedule, 0..1.
        step: the number of completed steps.
        """
        rise = min(1.0, (step + 1) / self.warm_up_steps)
        return rise * max(self.last_rate, 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))

    def continued(self) -> "Schedule":
        """Return the schedule for weights that are already trained: lower rates, and only one stage, below full size.

        The encoder, which is already well trained, gets the lowest rate. Networks trained at 256 px were better at 320
        px than networks whose last stage was trained at 320 px (docs/model-log.md).
        """
        rates = {name: getattr(self, name) * share for name, share in CONTINUED.items()}
        return replace(self, **rates, stages=((1.0, 0.8),))


def _multiple(side: float) -> int:
    return max(32, round(side / 32) * 32)


@dataclass
class Run:
    """The state of a training run between two steps.

    averaged: the running mean of the network's weights.
    step: the number of completed steps.
    seen: the number of processed pictures.
    spent_s: the time spent, in seconds.
    loss: the smoothed loss.
    """

    network: KeylineUNet
    averaged: KeylineUNet
    optimisers: list[torch.optim.Optimizer]
    gradients: Gradients[KeylineUNet]
    step: int = 0
    seen: int = 0
    spent_s: float = 0.0
    loss: float = float("nan")
    size: int = 320  # the side in pixels at which the weights will be served

    def done(self, schedule: Schedule) -> float:
        """Return the completed share of a schedule, from 0 to 1 or slightly above."""
        return schedule.done(self.seen, self.spent_s)

    def save(self, folder: Path) -> None:
        """Write the state and the averaged weights to `folder`. Both are written completely before they are renamed."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "progress": (self.step, self.seen, self.spent_s),
        }
        torch.save(state, folder / "state.pt.part")
        (folder / "state.pt.part").replace(folder / "state.pt")
        export(self.averaged, folder / "weights.safetensors", size=self.size)

    def restore(self, folder: Path, device: torch.device) -> None:
        state = torch.load(folder / "state.pt", map_location=device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.gradients.share_buffers()
        self.step, self.seen, self.spent_s = state["progress"]


class NotFinite(ArithmeticError):
    """The gradients of a step contain infinite or undefined numbers, which would make all weights undefined."""


def average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    """Update the running mean of the weights: averaged = keep * averaged + (1 - keep) * network.

    Values that are not floating-point numbers, such as counters, are copied.
    """
    pairs = list(zip(averaged.state_dict().values(), network.state_dict().values(), strict=True))
    torch._foreach_lerp_(
        [a for a, _ in pairs if a.is_floating_point()], [n for a, n in pairs if a.is_floating_point()], 1 - keep
    )
    for a, n in pairs:
        if not a.is_floating_point():
            a.copy_(n)


def drop_blocks(network: KeylineUNet, most: float) -> None:
    """Set the probability of skipping each block of the encoder in training (Huang et al. 2016).

    The probability grows with the block's depth, up to `most`.
    """
    blocks = [module for module in network.encoder.modules() if isinstance(module, InvertedResidual)]
    for depth, block in enumerate(blocks):
        block.drop = most * depth / len(blocks)


def train_step(run: Run, bank: Bank, shares: dict[str, float], schedule: Schedule) -> float:
    """Run one training step with the schedule's current rate and picture size, and return the loss.

    Raise NotFinite if the gradients are not finite. The weights are then unchanged.

    shares: the shares of the kinds of samples, the result of `possible`.
    """
    done = run.done(schedule)
    size, device = schedule.size_of(done, run.step), bank.people.device
    edges = schedule.edges_at(done)

    def loss_of(network: KeylineUNet) -> Tensor:
        batch = draw(bank, shares, schedule.batch // schedule.workers, size)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast_bfloat16(device)):
            features = network.encode(batch.normalised())
            planes = prompt_planes(network, features, batch)
            outputs = network.decode(features, planes.contiguous(memory_format=torch.channels_last))
        return training_loss(outputs, batch, edges)

    loss = run.gradients.of(loss_of)
    if not nn.utils.clip_grad_norm_(run.network.parameters(), 5.0).isfinite():
        raise NotFinite(f"step {run.step} at {size} px: the gradients are not finite")
    for optimiser in run.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * schedule.rate_at(done, run.step)
    run.gradients.together(*(optimiser.step for optimiser in run.optimisers))
    with torch.no_grad():
        average(run.averaged, run.network, min(schedule.averaging, (1 + run.step) / (10 + run.step)))
    run.step += 1
    run.seen += schedule.batch // schedule.workers * schedule.workers
    return loss


def fast_bfloat16(device: torch.device) -> bool:
    """Return whether bfloat16 is fast on a device.

    A CPU without bf16 instructions emulates it, which is 20 times slower.
    """
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()


def start(
    *,
    device: torch.device,
    schedule: Schedule,
    out: Path,
    initial: Path | None = None,
    encoder: Path | None = None,
    resume: bool = False,
    config: NetworkConfig | None = None,
) -> Run:
    """Return a training run. With `resume`, continue the run whose state is in `out`, if there is one.

    initial: a file with the weights of an older network, or None.
    encoder: an ImageNet checkpoint for the encoder, or None.
    config: the sizes of the network; None means TRAINED.
    """
    network = KeylineUNet(config or TRAINED)
    if initial:
        inherit(network, load_network(initial))
    if encoder:
        load_encoder(network.encoder, encoder)
    drop_blocks(network, schedule.drop)
    network = network.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    averaged = copy.deepcopy(network).eval()
    if device.type == "cpu":
        hasten(network)
    rates = schedule.muon_rate, schedule.adam_rate, schedule.encoder_rate
    run = Run(network, averaged, optimisers(network, *rates), Gradients(network, schedule.workers), size=schedule.size)
    if resume and (out / "state.pt").exists():
        run.restore(out, device)
    return run


def train(
    bank: Bank,
    schedule: Schedule,
    run: Run,
    out: Path,
    say: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> Run:
    """Train until the schedule ends or `stopped` returns True, and return the run.

    The state is saved in `out` at regular times and at the end, also after an exception such as KeyboardInterrupt.
    Therefore the run can be continued. After a step whose gradients are not finite, the run goes back to the last saved
    state. Raise NotFinite if this happens more than MOST_FAULTS times in succession.

    say: a function that is called at regular times with a line of text about the progress.
    """
    shares = possible(Mixture(), bank)
    torch.manual_seed(1 + run.step)
    run.save(out)
    told_s = saved_s = run.spent_s
    told_seen = run.seen
    faults = 0
    try:
        while run.done(schedule) < 1 and not stopped():
            began_s = time.monotonic()
            if run.step % SPELL == 0 or resident_bytes() > MOST_BYTES:
                give_back()
            try:
                loss = train_step(run, bank, shares, schedule)
            except NotFinite as fault:
                run.restore(out, bank.people.device)
                faults += 1
                if faults > MOST_FAULTS:
                    raise
                say(f"{fault}; back to the checkpoint of {run.seen} pictures")
                told_s, told_seen, saved_s = run.spent_s, run.seen, run.spent_s
                torch.manual_seed(1 + run.step + faults)  # other pictures than before
                continue
            run.spent_s += time.monotonic() - began_s
            run.loss = loss if math.isnan(run.loss) else run.loss + LOSS_SMOOTHING * (loss - run.loss)
            if run.spent_s - told_s >= schedule.line_s:
                say(progress_line(run, schedule, (run.seen - told_seen) / (run.spent_s - told_s)))
                told_s, told_seen = run.spent_s, run.seen
            if run.spent_s - saved_s >= schedule.checkpoint_s:
                run.save(out)
                saved_s, faults = run.spent_s, 0
    finally:
        run.save(out)
    return run


def progress_line(run: Run, schedule: Schedule, pictures_a_second: float) -> str:
    """Return one line with a run's progress, loss, speed and memory.

    pictures_a_second: the speed to print.
    """
    done = run.done(schedule)
    return (
        f"{done:7.2%}  {run.spent_s / 60:.1f} min  {run.seen} pictures  size {schedule.size_of(done, run.step)}  "
        f"loss {run.loss:.4f}  {pictures_a_second:.1f} pictures/s  {resident_bytes() / (1 << 30):.1f} GB"
    )


def train_from(
    *,
    data: Path,
    out: Path,
    schedule: Schedule,
    device: str = "cpu",
    initial: Path | None = None,
    encoder: Path | None = None,
    resume: bool = False,
    say: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> Run:
    """Train on the sets in the folder `data` whose names do not begin with `val-`, and return the run.

    out: the folder of the results.
    initial, encoder, resume: as in `start`.
    say, stopped: as in `train`.

    Raise ValueError if there is no training data, and WeightsInvalid if the initial weights do not fit.
    """
    out.mkdir(parents=True, exist_ok=True)
    listed = [entry for entry in entries(data) if not entry.kind.startswith("val-")]
    kept, _ = held_out(listed)
    torch.set_flush_denormal(True)  # with denormal numbers in its state, an optimiser takes twice the time on a CPU
    if device == "cpu" and schedule.workers > 1:
        torch.set_num_threads(1)
    schedule = schedule.continued() if initial and load_network(initial).config == TRAINED else schedule
    run = start(
        device=torch.device(device), schedule=schedule, out=out, initial=initial, encoder=encoder, resume=resume
    )
    while run.done(schedule) < 1 and not stopped():
        _train_stage(kept, schedule, run, out, say, stopped)
    return run


def _train_stage(
    listed: list[Entry],
    schedule: Schedule,
    run: Run,
    out: Path,
    say: Callable[[str], None],
    stopped: Callable[[], bool],
) -> None:
    """Train until the end of the current stage, with the pictures in a size that is large enough for this stage."""
    side = schedule.size_at(run.done(schedule))
    bank = bank_from(listed, _multiple(side * BANK_SHARE)).to(next(run.network.parameters()).device)
    say(f"{len(bank.photos)} photos, {len(bank.objects)} objects, {len(bank.marked)} scenes with marked people")
    train(bank, schedule, run, out, say, lambda: stopped() or schedule.size_at(run.done(schedule)) != side)
