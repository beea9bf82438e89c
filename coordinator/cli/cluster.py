"""``midifarm cluster``: the nodes of a farm, run and ended on their own machines."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from cluster.head import check_head, need_token, own_address, split_address
from cluster.introduction import pools_of
from cluster.node import HEAD_PORT, NodeSpec
from coordinator.cli.options import with_settings
from coordinator.node.supervisor import run_beside, run_node
from coordinator.settings import HeadSettings, NodeSettings, WorkerSettings, read_settings
from shared.errors import InputError
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
        read_settings(WorkerSettings, pools=",".join(pool))
    head = _need_head(head)
    gpus = check_head(head)
    cpus = usable_cores() if settings.slots is None else settings.slots
    spec = _spec(
        settings,
        head,
        cpus=cpus,
        gpus=0 if no_gpus else gpus,
        gpu_slots=settings.gpu_slots,
        pools=tuple(sorted(pools_of(",".join(pool) if pool else settings.pools))),
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
