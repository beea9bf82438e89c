"""The manifests of deploy/kubernetes: what can be said of them without a cluster."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from cluster.introduction import GPU_SLOTS_VARIABLE, POOLS_VARIABLE, pools_of, slots_of
from cluster.node import NodeSpec, pool_resource, start_environment
from coordinator.settings import ServiceSettings, is_secret, read_settings, variable_name
from shared.pools import parse_pools
from tests.deployed import (
    KUBERNETES,
    SETTINGS,
    VERSION,
    check_command,
    groups,
    need,
    pins,
    read_all,
)

KUBERNETES_VERSION: Final = "1.34"
FILES = sorted(KUBERNETES.glob("*.yaml"))
[KUSTOMIZATION] = read_all(KUBERNETES / "kustomization.yaml")
MANIFESTS = [
    (path, each) for path in FILES if path.name != "kustomization.yaml" for each in read_all(path)
]
APPLIED = [each for path, each in MANIFESTS if path.name in KUSTOMIZATION["resources"]]
SCHEMAS = Path(__file__).parents[1] / "schemas"
OWN_SCHEMAS = {"RayCluster": "raycluster.json", "PodMonitor": "podmonitor.json"}


def called(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in APPLIED if each["kind"] == kind]


def pods() -> dict[str, dict[str, Any]]:
    """The templates of all pods."""
    found = {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind("Deployment")}
    return found | {f"ray-{name}": group["template"] for name, group in groups()}


PODS = pods()


def judge(manifest: dict[str, Any]) -> None:
    """Hold something against the schema of Kubernetes, in which there are no other fields."""
    need("kubernetes_validate")
    validator = importlib.import_module("kubernetes_validate")
    validator.validate(manifest, KUBERNETES_VERSION, strict=True)


@pytest.mark.parametrize("manifest", [each for _, each in MANIFESTS], ids=called)
def test_a_manifest_fits_its_schema(manifest: dict[str, Any]) -> None:
    own = OWN_SCHEMAS.get(manifest["kind"])
    if own is None:
        judge(manifest)
    else:
        jsonschema.validate(manifest, json.loads((SCHEMAS / own).read_text()))


@pytest.mark.parametrize("name", PODS)
def test_the_template_of_a_pod_fits_its_schema(name: str) -> None:
    template = PODS[name]
    metadata = {"name": name, **template["metadata"]}
    judge({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})


def test_a_field_that_does_not_exist_is_found() -> None:
    need("kubernetes_validate")
    template = PODS["midifarm-api"]
    wrong = {**template["spec"], "restartPolicies": "Always"}
    with pytest.raises(Exception, match="restartPolicies"):
        judge({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": wrong})


def test_the_kustomization_names_every_file_but_the_examples() -> None:
    examples = {path.name for path in FILES if path.name.endswith(".example.yaml")}
    others = {path.name for path in FILES} - examples - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == others
    assert {image["newTag"] for image in KUSTOMIZATION["images"]} == {VERSION}
    used = {each["image"] for pod in PODS.values() for each in pod["spec"]["containers"]}
    assert {image["name"] for image in KUSTOMIZATION["images"]} == used
    names = [called(each) for each in APPLIED]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_privileges(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    # The head's is KubeRay's own, with which its autoscaler asks for pods.
    assert name == "ray-head" or spec["automountServiceAccountToken"] is False
    [container] = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_probed_where_it_listens_and_runs_what_exists(name: str) -> None:
    [container] = PODS[name]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe"):
        [asked] = [container[probe][how] for how in ("httpGet", "tcpSocket")
                   if how in container[probe]]  # fmt: skip
        assert asked["port"] in ports
        assert asked.get("path") in (None, "/healthz")
    if "args" in container:
        check_command(container["args"])
    stop = container.get("lifecycle", {}).get("preStop", {}).get("exec")
    if stop is not None:
        check_command(stop["command"])
        assert int(stop["command"][-1]) < PODS[name]["spec"]["terminationGracePeriodSeconds"]


def test_ray_listens_on_the_same_ports_everywhere() -> None:
    for _, group in groups():
        parameters = group["rayStartParams"]
        [container] = group["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert parameters["node-manager-port"] == str(ports["node-manager"]) == "6380"
        assert parameters["object-store-memory"] == "104857600"
    assert dict(groups())["head"]["rayStartParams"]["num-cpus"] == "0"


def test_all_of_ray_is_told_what_nodes_elsewhere_are_told() -> None:
    spec = NodeSpec(folder=Path("/tmp/node"), address="10.0.0.1")  # noqa: S108
    ours = start_environment(spec)
    for name, group in groups():
        [container] = group["template"]["spec"]["containers"]
        told = {each["name"]: each["value"] for each in container["env"]}
        wanted = {
            variable for variable in ours if variable.startswith(("RAY_grpc", "RAY_ROTATION"))
        }
        if name == "head":
            wanted |= {variable for variable in ours if variable.startswith("RAY_health")}
        assert {variable: told[variable] for variable in wanted} == {
            variable: ours[variable] for variable in wanted
        }


def test_ray_needs_a_token_and_has_the_version_of_the_lock() -> None:
    [cluster] = of_kind("RayCluster")
    assert cluster["spec"]["rayVersion"] == pins()["ray"]
    assert cluster["spec"]["authOptions"]["mode"] == "token"
    assert cluster["spec"]["enableInTreeAutoscaling"] is True
    [settings] = of_kind("ConfigMap")
    head = f"{cluster['metadata']['name']}-head-svc.midifarm.svc.cluster.local:6379"
    assert settings["data"]["MIDIFARM_RAY_ADDRESS"] == head


def test_workers_of_a_gpu_differ_in_nothing_else() -> None:
    found = copy.deepcopy(dict(groups()))
    cpu, gpu = found["cpu"]["template"]["spec"], found["gpu"]["template"]["spec"]
    for part in ("requests", "limits"):
        assert gpu["containers"][0]["resources"][part].pop("nvidia.com/gpu") == "1"
    assert gpu.pop("tolerations")
    for spec in (cpu, gpu):
        [container] = spec["containers"]
        container["env"] = [each for each in container["env"] if each["name"] != POOLS_VARIABLE]
    assert gpu == cpu


def test_the_autoscaler_knows_which_group_brings_which_pool() -> None:
    served = set[str]()
    for _, group in list(groups())[1:]:
        parameters = group["rayStartParams"]
        [container] = group["template"]["spec"]["containers"]
        told = {each["name"]: each["value"] for each in container["env"]}
        pools = pools_of(told[POOLS_VARIABLE])
        room = slots_of(
            float(parameters["num-cpus"]),
            float(parameters.get("num-gpus", 0)),
            int(told.get(GPU_SLOTS_VARIABLE, 1)),
        )
        # KubeRay puts it on a command line, where the quotes around it hold it together.
        brought = json.loads(json.loads(parameters["resources"]))
        assert brought == {pool_resource(pool): room.count for pool in pools}
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        served |= pools
    [settings] = of_kind("ConfigMap")
    assert {"default", *parse_pools(settings["data"]["MIDIFARM_DECLARED_POOLS"])} == served


def test_pods_are_told_what_they_need_and_workers_no_more() -> None:
    for name, pod in PODS.items():
        [container] = pod["spec"]["containers"]
        told = {each.get("secretRef", each.get("configMapRef"))["name"]
                for each in container.get("envFrom", ())}  # fmt: skip
        assert ("midifarm-database" in told) == (name in ("midifarm-api", "midifarm-dispatcher"))
        assert "midifarm-storage" in told or name == "ray-head"


def test_the_settings_are_understood_and_hold_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in SETTINGS:
        monkeypatch.delenv(variable, raising=False)
    [settings] = of_kind("ConfigMap")
    secret = {variable_name(each) for each in ServiceSettings.model_fields
              if is_secret(ServiceSettings, each)}  # fmt: skip
    assert not secret & settings["data"].keys()
    assert of_kind("Secret") == []
    examples = [each for _, each in MANIFESTS if each["kind"] == "Secret"]
    assert len(examples) == 3
    for example in examples:
        for variable, value in example["stringData"].items():
            assert "REPLACE-ME" in value
            assert variable in secret | {"auth_token"}
            monkeypatch.setenv(variable, value)
    for variable, value in settings["data"].items():
        monkeypatch.setenv(variable, value)
    read_settings(ServiceSettings)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def test_whatever_selects_pods_finds_some() -> None:
    labels = [pod["metadata"]["labels"] for pod in PODS.values()]
    for each in APPLIED:
        spec = each.get("spec", {})
        if each["kind"] == "Service":
            assert any(selects({"matchLabels": spec["selector"]}, found) for found in labels)
        for key in ("selector", "podSelector"):
            if each["kind"] != "Service" and key in spec:
                assert any(selects(spec[key], found) for found in labels), called(each)
    for kind, port in (("Service", "targetPort"), ("PodMonitor", "port")):
        for each in of_kind(kind):
            selector = each["spec"]["selector"]
            wanted = {"matchLabels": selector} if kind == "Service" else selector
            [pod] = [each for each in PODS.values() if selects(wanted, each["metadata"]["labels"])]
            names = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
            for listening in each["spec"].get("ports") or each["spec"]["podMetricsEndpoints"]:
                assert listening[port] in names
    [scaler] = of_kind("HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] in PODS


def test_only_ray_and_the_way_in_are_open() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    denied = policies.pop("deny-all")
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    open_to = {name: spec["ingress"] for name, spec in policies.items() if "ingress" in spec}
    ray = {"matchLabels": {"midifarm/ray": "true"}}
    assert open_to.pop("ray") == [{"from": [{"podSelector": ray}]}]
    ways_in = {name: way_in for name, [way_in] in open_to.items()}
    assert {name: [port["port"] for port in each["ports"]] for name, each in ways_in.items()} == {
        "api-from-ingress": [8077], "dispatcher-from-prometheus": [8078]}  # fmt: skip
    assert all(
        "namespaceSelector" in each for way_in in ways_in.values() for each in way_in["from"]
    )
    assert {name for name, pod in PODS.items() if selects(ray, pod["metadata"]["labels"])} == {
        "midifarm-dispatcher", "ray-head", "ray-cpu", "ray-gpu"}  # fmt: skip


def test_the_ingress_keeps_metrics_and_readiness_to_the_cluster() -> None:
    [ingress] = read_all(KUBERNETES / "ingress.example.yaml")
    [rule] = ingress["spec"]["rules"]
    paths = {each["path"]: each["pathType"] for each in rule["http"]["paths"]}
    assert paths["/"] == "Exact"
    assert {"/v1", "/web"} <= {path for path, how in paths.items() if how == "Prefix"}
    assert not {"/metrics", "/readyz"} & paths.keys()
    assert (
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    )
