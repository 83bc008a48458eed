"""The experiments measure what they say, on networks whose answers are known."""

import math
from dataclasses import replace

import pytest
import torch

from fnn import MLP, Dataset, load_d1
from fnn.experiments import task_1, task_2a, task_2b, task_2c, task_2d, task_2e, task_3
from fnn.experiments.common import network as build
from fnn.experiments.common import same_losses
from fnn.training import train_restarts


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_d1()


def network(w: list[float], b: list[float], v: list[float], c: float, phi: str = "sigmoid") -> MLP:
    """[1, m, 1] with these parameters, float64."""
    return build(*map(torch.tensor, (w, b, v, c)), phi)


def test_check_values_of_the_assignment() -> None:
    check = task_1.check_network()
    assert task_1.close(check([-1, 2]), [0.8315, -3.6792])
    assert not task_1.close(check([-1, 2]), [0.8315, -3.6791])
    assert task_1.batch_difference(check, 100) < 1e-5


def test_d1_has_five_stretches_and_noise_has_not(data: Dataset) -> None:
    generator = torch.Generator().manual_seed(7)
    noise = replace(data, y_train=torch.randn(data.y_train.shape, generator=generator))
    assert task_2a.stretches(data) == 5
    assert task_2a.stretches(noise) != 5


def test_conjectures_follow_the_stretches_of_the_data(data: Dataset) -> None:
    guesses = [task_2a.conjecture(data, m) for m in (0, 1, 2, 3, 5)]
    assert [task_2a.turning_points(guess.model, data) for guess in guesses] == [0, 0, 1, 2, 4]
    losses = [guess.train_mse for guess in guesses]
    assert losses == sorted(losses, reverse=True)
    hinges = task_2a.conjecture(data, 4, "relu").model
    kinks = (-hinges.layers()[0][1] / hinges.layers()[0][0][0]).sort().values
    torch.testing.assert_close(kinks, torch.tensor(task_2a.bends(data), dtype=torch.float64))


def test_limit_study_of_d1_finds_the_law_in_its_runs(data: Dataset) -> None:
    [study] = [task_2b.study(train_restarts([2], 12, data=data), data)]
    limit = task_2b.limit_study(data, study)
    assert len(limit.run_V) > 0
    assert limit.deviation(limit.run_V, limit.run_excess) < 0.05
    assert limit.deviation(task_2b.FIXED_V, limit.excess, 10) == pytest.approx(0.053, abs=0.002)
    assert limit.deviation(task_2b.FIXED_V, limit.excess, 100) < 1e-3


def test_data_without_a_limit_have_none(data: Dataset) -> None:
    flat = replace(data, y_train=torch.zeros_like(data.y_train), y_test=torch.zeros_like(data.y_test))
    study = task_2b.study(train_restarts([2], 2, data=flat, limits="quick"), flat)
    limit = task_2b.limit_study(flat, study)
    assert limit.limit is None
    assert math.isnan(limit.loss)
    assert not len(limit.run_V)


def test_initial_centres_are_those_of_the_draws(data: Dataset) -> None:
    generator = torch.Generator().manual_seed(3)
    w, b = torch.randn(2, 200_000, generator=generator)
    low, high = data.x_range
    part = ((-b / w - low) / (high - low) * 4).floor()
    for quarter, chance in enumerate(task_2b.initial_centres(data, 4)):
        assert chance == pytest.approx((part == quarter).double().mean().item(), abs=0.005)


def test_a_spike_is_found_between_the_points_it_avoids(data: Dataset) -> None:
    left, right = data.X_train[40, 0].item(), data.X_train[41, 0].item()
    middle, steep, gap = (left + right) / 2, 2000.0, (right - left) / 4
    mlp = network([steep] * 2, [-steep * (middle - gap), -steep * (middle + gap)], [7.0, -7.0], 0.0)
    gaps = task_2c.stray(mlp, data)
    assert gaps.astray.nonzero().flatten().tolist() == [40]
    flat = (data.y_test.double() ** 2).mean().item()
    assert gaps.straightened_test_mse == pytest.approx(flat, rel=1e-6)


def test_gaps_are_counted_by_part_of_the_range(data: Dataset) -> None:
    """A step that is no straight line in the one gap that holds it, in the third quarter of the range."""
    record = train_restarts([1], 1, data=data, limits="quick")
    params = torch.tensor([[500.0, -500.0 * 8.06, 9.0, 0.0]], dtype=torch.float64)
    study = task_2c.WidthStudy(data, {1: replace(record, params=params)})
    assert [share.count for share in task_2c.astray_by_part(study, [1])] == [0, 0, 1, 0]


def test_the_validation_looks_at_no_test_point(data: Dataset) -> None:
    other = replace(data, X_test=data.X_test[:50], y_test=10 - data.y_test[:50])
    losses = [task_2c.validate_decays(each, width=2, decays=[1e-3]) for each in (data, other)]
    assert losses[0] == losses[1]


def test_the_noise_floor(data: Dataset) -> None:
    study = task_2c.WidthStudy(data, {3: train_restarts([3], 2, method="lm", data=data, limits="quick")})
    assert study.parameters(3) == 10
    assert study.expected(3) == pytest.approx((0.009, 0.011))
    unknown = task_2c.WidthStudy(replace(data, noise_std=None), study.records)
    assert all(map(math.isnan, unknown.expected(3)))


def test_ablation_of_a_duplicated_unit(data: Dataset) -> None:
    # Two copies of one unit: without one half of the step is lost, refitting repairs it.
    ablation = task_2d.ablate(network([1.0, 1.0], [-6.0, -6.0], [0.5, 0.5], 0.1), data)
    assert ablation.correlation_gap == pytest.approx(0.0, abs=1e-12)
    assert ablation.cancellation == pytest.approx(1.0)
    assert ablation.frozen[0] == pytest.approx(ablation.frozen[1].item())
    assert (ablation.refitted <= ablation.intact + 1e-12).all()
    assert ablation.dispensable == 2  # the step is poor: a constant will do


def test_ablation_does_not_depend_on_how_units_are_turned(data: Dataset) -> None:
    rising = network([1.0, 2.0], [-6.0, -8.0], [0.5, -1.5], 0.1)
    turned = network([-1.0, 2.0], [6.0, -8.0], [-0.5, -1.5], 0.6)
    one, other = task_2d.ablate(rising, data), task_2d.ablate(turned, data)
    torch.testing.assert_close(one.frozen, other.frozen)
    torch.testing.assert_close(one.refitted, other.refitted)


def test_the_canonical_network_computes_the_same_function(data: Dataset) -> None:
    record = train_restarts([3], 4, method="lm", data=data, limits="quick")
    mlp = task_2d.canonical_model(record)
    X = data.X_test.double()
    torch.testing.assert_close(mlp(X), record.model(record.best, torch.float64)(X))
    W1, b1 = mlp.layers()[0]
    assert (W1 > 0).all()
    assert ((-b1 / W1[0]).diff() > 0).all()


def test_optimisers_are_compared_by_trace_and_ends(data: Dataset) -> None:
    record = train_restarts([2], 4, method="lm", data=data, limits="quick")
    assert task_2e.evaluations_to(record, math.inf, 1.0) == 1
    assert task_2e.evaluations_to(record, 0.0, 0.25) == math.inf
    assert task_2e.evaluations_to(record, 0.5, 0.25) <= task_2e.evaluations_to(record, 0.4, 0.25)
    ends = task_2e.near(record, record.best_train), task_2e.poor_ends(record, record.best_train)
    assert ends[0].count + sum(ends[1].values()) == 4
    assert same_losses(record.train_mse, record.train_mse * torch.tensor([1, 1.00005, 1.0002, 1])).count == 3


def test_idle_relu_units_are_counted(data: Dataset) -> None:
    record = train_restarts([3], 1, phi="relu", data=data, limits="quick")
    w, b, v = [1.0, 1.0, 1.0], [-100.0, 1.0, -6.0], [1.0, 1.0, 1.0]  # off, on, and bent at 6
    params = torch.tensor([[*w, *b, *v, 0.0]], dtype=torch.float64)
    study = task_2c.WidthStudy(data, {3: replace(record, params=params)})
    assert task_2e.idle_units(study, 3) == pytest.approx(200 / 3)


def test_by_hand_and_autograd_agree_at_the_example(data: Dataset) -> None:
    example = task_3.backprop_example(data, hidden_units=5)
    assert example.forward_error < 1e-24
    assert example.backward_error < 1e-24
