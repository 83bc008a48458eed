"""The experiments measure what they say, on networks whose answers are known."""

from dataclasses import replace

import pytest
import torch

from fnn import MLP, Dataset, experiments, load_d1
from fnn.experiments.restarts import centre_probability
from fnn.experiments.variants import MethodRun, operations_per_evaluation
from fnn.experiments.widths import WidthStudy
from fnn.training import train_restarts


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_d1()


def network(w: list[float], b: list[float], v: list[float], c: float) -> MLP:
    """[1, m, 1] with these parameters, float64."""
    mlp = MLP([1, len(w), 1]).double().requires_grad_(False)
    (W1, b1), (W2, b2) = mlp.layers()
    W1.copy_(torch.tensor([w]))
    b1.copy_(torch.tensor(b))
    W2.copy_(torch.tensor(v).unsqueeze(1))
    b2.fill_(c)
    return mlp


def noise(data: Dataset) -> Dataset:
    """The same inputs with targets that are noise alone."""
    generator = torch.Generator().manual_seed(7)
    y_train = torch.randn(data.y_train.shape, generator=generator)
    y_test = torch.randn(data.y_test.shape, generator=generator)
    return replace(data, name="noise", y_train=y_train, y_test=y_test)


def test_d1_swings_five_times_and_noise_does_not(data: Dataset) -> None:
    assert experiments.swings(data) == 5
    assert experiments.swings(noise(data)) != 5


def test_turning_points_are_counted(data: Dataset) -> None:
    step = network([1.0], [-6.0], [2.0], 0.0)
    hill = network([3.0, 3.0], [-12.0, -24.0], [1.0, -1.0], 0.0)
    assert experiments.turning_points(step, data) == 0
    assert experiments.turning_points(hill, data) == 1


def test_a_spike_is_found_between_the_points_it_avoids(data: Dataset) -> None:
    left, right = data.X_train[40, 0].item(), data.X_train[41, 0].item()
    middle, steep = (left + right) / 2, 2000.0
    w, gap = [steep, steep], (right - left) / 4
    mlp = network(w, [-steep * (middle - gap), -steep * (middle + gap)], [7.0, -7.0], 0.0)
    spike = experiments.find_spike(mlp, data)
    assert (spike.left, spike.right) == pytest.approx((left, right))
    assert spike.height == pytest.approx(7.0, rel=1e-3)
    assert spike.steepest == steep
    flat = (data.y_test.double() ** 2).mean().item()
    assert spike.smoothed_test_mse == pytest.approx(flat, rel=1e-6)


def test_ablation_of_a_duplicated_unit(data: Dataset) -> None:
    # Two copies of one unit: deleting one halves the step, refitting repairs it.
    mlp = network([1.0, 1.0], [-6.0, -6.0], [0.5, 0.5], 0.1)
    ablation = experiments.ablate(mlp, data)
    assert ablation.largest_correlation == pytest.approx(1.0)
    assert ablation.cancellation == pytest.approx(1.0)
    assert ablation.deleted[0] == pytest.approx(ablation.deleted[1].item())
    assert (ablation.refitted <= ablation.intact + 1e-12).all()


def test_the_canonical_network_computes_the_same_function(data: Dataset) -> None:
    record = train_restarts([3], 4, method="lm", data=data, limits="quick")
    mlp = experiments.canonical_model(record)
    X = data.X_test.double()
    torch.testing.assert_close(mlp(X), record.model(record.best, torch.float64)(X))
    W1, b1 = mlp.layers()[0]
    assert (W1 > 0).all()
    assert ((-b1 / W1[0]).diff() > 0).all()


def test_initial_centres_follow_the_cauchy_distribution() -> None:
    generator = torch.Generator().manual_seed(3)
    w, b = torch.randn(2, 200_000, generator=generator)
    share = ((-b / w > 0.5) & (-b / w < 2.0)).double().mean().item()
    assert centre_probability(0.5, 2.0) == pytest.approx(share, abs=0.005)


def test_the_noise_floor_and_the_interpolating_width(data: Dataset) -> None:
    study = WidthStudy(data, {3: train_restarts([3], 2, method="lm", data=data, limits="quick")})
    assert study.parameters(3) == 10
    assert study.floor(3) == pytest.approx((0.009, 0.011))
    assert study.interpolating_width == 33
    unknown = WidthStudy(replace(data, noise_std=None), study.records)
    assert all(torch.tensor(unknown.floor(3)).isnan())


def test_evaluations_to_a_loss_are_read_from_the_trace(data: Dataset) -> None:
    record = train_restarts([2], 4, method="lm", data=data, limits="quick")
    evaluations = torch.tensor(record.trace_evaluations, dtype=torch.float64)
    run = MethodRun("LM", record, evaluations, evaluations)
    assert run.evaluations_to(float("inf"), share=1.0) == 1
    assert run.evaluations_to(0.0, share=0.25) == float("inf")
    assert run.evaluations_to(0.5, share=0.25) <= run.evaluations_to(0.4, share=0.25)


def test_levenberg_marquardt_pays_more_per_evaluation_than_adam() -> None:
    assert operations_per_evaluation("lm", 10, 100) > operations_per_evaluation("adam", 10, 100)


def test_by_hand_and_autograd_agree_at_the_example(data: Dataset) -> None:
    example = experiments.backprop_example(data, hidden_units=5)
    assert example.forward_error < 1e-24
    assert example.backward_error < 1e-24
    assert (example.forward_operations, example.backward_operations) == (42, 42)
    table = experiments.backward_table(example)
    assert len(table.rows) == 12
    assert table.rows[5][2] == r"$\mathbb{R}^{5 \times 1}$"


def test_check_values_of_the_assignment() -> None:
    check = experiments.check_network()
    assert experiments.close(check([-1, 2]), [0.8315, -3.6792])
    assert not experiments.close(check([-1, 2]), [0.8315, -3.6791])
    assert experiments.compare_batched(check).difference < 1e-5
