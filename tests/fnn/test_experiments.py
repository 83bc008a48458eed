"""The experiments measure what they say, on networks whose answers are known."""

from dataclasses import replace

import pytest
import torch

from fnn import MLP, Dataset, experiments, load_d1
from fnn.experiments.common import median
from fnn.experiments.task_2a import turning_points
from fnn.experiments.task_2b import centre_probability, losses_at
from fnn.experiments.task_2c import Widths, WidthStudy
from fnn.experiments.task_2d import median_run
from fnn.experiments.task_2e import MethodRun, agreement, idle_units, operations_per_evaluation
from fnn.landscape.limit_models import limit_models
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
    # Two copies of one unit: without one half of the step is lost, refitting repairs it.
    mlp = network([1.0, 1.0], [-6.0, -6.0], [0.5, 0.5], 0.1)
    ablation = experiments.ablate(mlp, data)
    assert ablation.correlation_gap == pytest.approx(0.0, abs=1e-12)
    assert ablation.cancellation == pytest.approx(1.0)
    assert ablation.frozen[0] == pytest.approx(ablation.frozen[1].item())
    assert (ablation.refitted <= ablation.intact + 1e-12).all()
    assert (ablation.dispensable, ablation.removable) == (2, 2)  # the step is poor: a constant will do


def test_ablation_does_not_depend_on_how_units_are_turned(data: Dataset) -> None:
    rising = network([1.0, 2.0], [-6.0, -8.0], [0.5, -1.5], 0.1)
    turned = network([-1.0, 2.0], [6.0, -8.0], [-0.5, -1.5], 0.6)
    one, other = experiments.ablate(rising, data), experiments.ablate(turned, data)
    torch.testing.assert_close(one.frozen, other.frozen)
    torch.testing.assert_close(one.refitted, other.refitted)


def test_conjectures_follow_the_stretches_of_the_data(data: Dataset) -> None:
    guesses = [experiments.conjecture(data, m) for m in (0, 1, 2, 3, 5)]
    assert [turning_points(guess.model, data) for guess in guesses] == [0, 0, 1, 2, 4]
    losses = [guess.train_mse for guess in guesses]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(0.438543, abs=1e-6)
    hinges = experiments.conjecture(data, 4, "relu").model
    kinks = (-hinges.layers()[0][1] / hinges.layers()[0][0][0]).sort().values
    torch.testing.assert_close(kinks, torch.tensor(experiments.bends(data), dtype=torch.float64))


def test_at_fixed_v_the_excess_is_that_of_the_limit_model(data: Dataset) -> None:
    limit = limit_models(data)[0]
    V = torch.tensor([10.0, 100.0, 1000.0], dtype=torch.float64)
    ratio = (losses_at(limit, data, V) - limit.loss) / limit.excess(V)
    assert ratio.tolist() == pytest.approx([1.053, 1.0005, 1.0], abs=2e-3)


def test_medians_lie_between_the_two_middle_values() -> None:
    assert median(torch.tensor([4.0, 1.0, 2.0, 10.0])) == 3.0


def test_the_median_run_and_the_agreement_of_two_methods(data: Dataset) -> None:
    record = train_restarts([1], 5, data=data, limits="quick")
    assert record.train_mse[median_run(record)] == record.train_mse.median()
    assert agreement(record, record).percent == 100


def test_idle_relu_units_are_counted(data: Dataset) -> None:
    record = train_restarts([2], 1, phi="relu", data=data, limits="quick")
    params = torch.tensor([[1.0, 1.0, -100.0, 1.0, 1.0, 1.0, 0.0]], dtype=torch.float64)  # w, b, v, c
    idle = idle_units(WidthStudy(data, {2: replace(record, params=params)}), 2)
    assert (idle.dead, idle.straight) == (50.0, 50.0)


def test_most_of_a_test_error_is_found_at_one_point(data: Dataset) -> None:
    # A hat of height 7 around one test point: the rest is the error of zero.
    x = data.X_test[50, 0].item()
    hat = network([2000.0, 2000.0], [-2000 * (x - 0.01), -2000 * (x + 0.01)], [7.0, -7.0], 0.0)
    worst = experiments.worst_point(hat, data)
    assert worst.x == x
    assert worst.error == pytest.approx(7 - data.y_test[50, 0].item(), rel=1e-4)
    assert experiments.straight_lines(data) == pytest.approx(0.014114, abs=1e-6)


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
    assert study.expected(3) == pytest.approx((0.009, 0.011))
    assert experiments.interpolating_width(data) == 33
    assert Widths(study, study, study, {}).prior_std == pytest.approx(10.0)
    unknown = WidthStudy(replace(data, noise_std=None), study.records)
    assert all(torch.tensor(unknown.expected(3)).isnan())


def test_evaluations_to_a_loss_are_read_from_the_trace(data: Dataset) -> None:
    record = train_restarts([2], 4, method="lm", data=data, limits="quick")
    evaluations = torch.tensor(record.trace_evaluations, dtype=torch.float64)
    run = MethodRun("LM", record, evaluations, evaluations)
    assert run.evaluations_to(float("inf"), percent=100) == 1
    assert run.evaluations_to(0.0, percent=25) == float("inf")
    assert run.evaluations_to(0.5, percent=25) <= run.evaluations_to(0.4, percent=25)


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
