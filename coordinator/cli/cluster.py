"""``midifarm cluster``: the nodes of a farm, run and ended on their own machines."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from cluster.head import check_head, need_token, own_address, split_address
from cluster.introduction import Standing, want_nothing
from cluster.leaving import leave, stay
from cluster.node import HEAD_PORT, NodeSpec
from cluster.overview import NodeView, look_around
from cluster.session import ray_session
from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.tables import cell
from coordinator.node.here import NodeHere, node_here
from coordinator.node.supervisor import run_beside, run_node
from coordinator.settings import HeadSettings, NodeSettings, WorkerSettings, read_settings
from shared.errors import ClusterError, InputError
from shared.pools import parse_pools
from shared.settings import usable_cores

cluster = typer.Typer(
    help="Run the nodes of a farm, each command on the node's own machine.",
    no_args_is_help=True,
    add_completion=False,
)

Head = Annotated[
    str | None,
    typer.Argument(
        metavar="HOST:PORT",
        envvar="MIDIFARM_RAY_ADDRESS",
        show_envvar=False,
        help="Where the head of the cluster is. MIDIFARM_RAY_ADDRESS says it too.",
    ),
]
Within = Annotated[float, typer.Option(metavar="S", min=0, help="Seconds to wait at most.")]

_OF_STARTING: Final = ("node_ip", "first_port", "slots", "scratch_dir")
"""Settings that matter when a node is started, and not to one that runs."""
_END_S: Final = 20.0
"""A node that is at nothing ends in less."""


@cluster.command()
@with_settings(HeadSettings)
def head(
    settings: HeadSettings,
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="[HOST:PORT]",
            envvar="MIDIFARM_RAY_ADDRESS",
            show_envvar=False,
            help="Where the other machines find it. MIDIFARM_RAY_ADDRESS says it too; the address "
            f"that leads to the rest of the world, and the port {HEAD_PORT}, without either.",
        ),
    ] = None,
) -> None:
    """Run the head of a cluster, which the other machines join, until SIGTERM."""
    need_token()
    run_node(
        NodeSpec(
            folder=settings.node_dir.absolute(),
            address=_outer(settings.node_ip or own_address(address)),
            port=split_address(address)[1] if address else HEAD_PORT,
            first_port=settings.first_port,
            data_dir=settings.data_dir.absolute(),
            cpus=settings.slots or 0,
            scratch=settings.scratch_dir,
        ),
        typer.echo,
    )


@cluster.command()
@with_settings(WorkerSettings, leave_out=("pools",))
def join(
    settings: WorkerSettings,
    head: Head = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A pool that it serves; several times for several. MIDIFARM_POOLS sets them too, "
            "by commas; the pool default without either.",
        ),
    ] = None,
    no_gpus: Annotated[
        bool, typer.Option("--no-gpus", help="Draw on the processors, whatever GPUs there are.")
    ] = False,
) -> None:
    """Have this machine render for a cluster, until SIGTERM; where it is cut off, it comes back."""
    if pool:
        settings = read_settings(WorkerSettings, settings.model_dump() | {"pools": ",".join(pool)})
    head = _need_head(head)
    gpus = check_head(head)
    cpus = usable_cores() if settings.slots is None else settings.slots
    spec = _spec(
        settings,
        head,
        cpus=cpus,
        gpus=0 if no_gpus else gpus,
        gpu_slots=settings.gpu_slots,
        pools=parse_pools(settings.pools or ""),
    )
    if not spec.slots.count:
        raise InputError("A node without slots renders nothing; give it some with --slots.")
    run_node(spec, typer.echo)


@cluster.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@with_settings(NodeSettings, leave_out=("slots", "scratch_dir"))
def beside(
    settings: NodeSettings,
    command: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND…", help="What to run, such as midifarm dispatch."),
    ],
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="MIDIFARM_RAY_ADDRESS",
            show_envvar=False,
            help="Where the head of the cluster is. MIDIFARM_RAY_ADDRESS sets it too.",
        ),
    ] = None,
) -> None:
    """Run a command beside a node without slots, through which it reaches the cluster."""
    head = _need_head(ray_address)
    check_head(head)
    raise typer.Exit(run_beside(_spec(settings, head), command))


@cluster.command()
@with_settings(NodeSettings, leave_out=_OF_STARTING)
def status(settings: NodeSettings, as_json: AsJson = False) -> None:
    """Show the nodes of the cluster, as this machine sees them."""
    node = _need_node(settings.node_dir)
    with ray_session(node.head, 0):
        views = look_around()
    if as_json:
        print_json({"head": node.head, "nodes": [_plain(view, node) for view in views]})
        return
    table = Table("node", "address", "slots", "pools", "renderer", "state", box=None)
    for view in views:
        standing = view.standing or Standing(state="joined")
        mark = " (here)" if view.node.id == node.id else ""
        table.add_row(
            cell(view.node.name + mark),
            view.address,
            str(standing.slots),
            ", ".join(standing.pools),
            cell(standing.renderer or ""),
            cell(view.state),
        )
    Console().print(table)


@cluster.command()
@with_settings(NodeSettings, leave_out=_OF_STARTING)
def drain(
    settings: NodeSettings,
    within: Within = 600.0,
    undo: Annotated[bool, typer.Option("--undo", help="Let it have work again.")] = False,
) -> None:
    """Give the node of this machine nothing more, and wait until it is at nothing."""
    node = _need_node(settings.node_dir)
    with ray_session(node.head, 0):
        want_nothing(settings.node_dir, wish=not undo)
        if undo:
            stay(node.id)
            typer.echo("The node takes work again.")
        elif leave(node.id, within, typer.echo):
            typer.echo("The node is at nothing, and gets nothing until `cluster drain --undo`.")
        else:
            raise ClusterError(
                f"The node is still at work after {within:g} s. It gets nothing more; wait longer "
                "with --within."
            )


@cluster.command(name="leave")
@with_settings(NodeSettings, leave_out=_OF_STARTING)
def leave_cluster(
    settings: NodeSettings,
    within: Within = 600.0,
    no_end: Annotated[
        bool,
        typer.Option(
            "--no-end", help="Let whoever runs this command end the node: a container's hook."
        ),
    ] = False,
) -> None:
    """Let the node of this machine finish what it has begun, and end it."""
    node = node_here(settings.node_dir)
    if node is None:
        typer.echo(f"No node runs in {settings.node_dir}.")
        return
    need_token()
    try:
        with ray_session(node.head, 0):
            if not leave(node.id, within, typer.echo):
                typer.echo(f"The node is still at work after {within:g} s; that is done elsewhere.")
    except ClusterError as exc:
        typer.echo(f"Nobody can be told that the node leaves: {exc.message}")
    if no_end or node.supervisor is None:
        typer.echo("The node may be ended.")
    else:
        node.end(_END_S)
        typer.echo("The node has ended.")


def _plain(view: NodeView, here: NodeHere) -> dict[str, Any]:
    standing = view.standing or Standing(state="joined")
    return {
        "id": view.node.id,
        "name": view.node.name,
        "address": view.address,
        "is_head": view.is_head,
        "is_here": view.node.id == here.id,
        "processors": view.node.cpus,
        "gpus": view.node.gpus,
        "slots": standing.slots,
        "pools": list(standing.pools),
        "renderer": standing.renderer,
        "state": view.state,
    }


def _need_node(folder: Path) -> NodeHere:
    node = node_here(folder)
    if node is None:
        raise InputError(
            f"No node of this machine runs in {folder}. Start one with `midifarm cluster join`, or "
            "say where it is with --node-dir or MIDIFARM_NODE_DIR."
        )
    need_token()
    return node


def _need_head(address: str | None) -> str:
    """Where the head is, once there is a token for it, too."""
    if not address:
        raise InputError(
            "Say where the head of the cluster is: HOST:PORT, or MIDIFARM_RAY_ADDRESS."
        )
    split_address(address)
    need_token()
    return address


def _spec(
    settings: NodeSettings,
    head: str,
    *,
    cpus: int = 0,
    gpus: int = 0,
    gpu_slots: int = 1,
    pools: tuple[str, ...] = (),
) -> NodeSpec:
    return NodeSpec(
        folder=settings.node_dir.absolute(),
        address=_outer(settings.node_ip or own_address(head)),
        head=head,
        first_port=settings.first_port,
        cpus=cpus,
        gpus=gpus,
        gpu_slots=gpu_slots,
        pools=pools,
        scratch=settings.scratch_dir,
    )


def _outer(address: str) -> str:
    """The address of a node, which others must be able to reach.

    Raises:
        InputError: It leads nowhere else.
    """
    try:
        is_inner = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise InputError(f"{address!r} is no address of a machine, such as 10.0.0.2.") from None
    if is_inner:
        raise InputError(
            f"No other machine reaches a node at {address}. Name the head by its address in your "
            "network; a farm of this machine alone is `midifarm serve`."
        )
    return address
