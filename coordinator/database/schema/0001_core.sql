-- The service's core: who may use it, what was uploaded and composed, exports and the work they
-- make. Everything keeps to PostgreSQL 15. Times are aware, ids are opaque text.

create type export_status as enum
    ('queued', 'rendering', 'uploading', 'completed', 'failed', 'cancelled');
create type asset_kind as enum ('midi', 'audio', 'image', 'font', 'soundfont');
create type asset_status as enum ('pending', 'ready', 'rejected');
create type item_kind as enum ('probe', 'intake', 'audio', 'chunk', 'stitch');
create type item_status as enum ('ready', 'running', 'done', 'failed', 'cancelled');
create type attempt_outcome as enum ('committed', 'late', 'failed', 'lost', 'cancelled');

create table api_keys (
    id text primary key,
    user_id text not null check (user_id <> ''),
    name text not null,
    -- SHA-256 of the token: 256 random bits need no salt and no slow hash.
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    is_admin boolean not null default false,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz
);
create index api_keys_by_user on api_keys (user_id, created_at desc);

create table assets (
    id text primary key,
    user_id text not null check (user_id <> ''),
    kind asset_kind not null,
    name text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes bigint not null check (size_bytes > 0),
    status asset_status not null default 'pending',
    facts jsonb,
    reason text,
    created_at timestamptz not null default now(),
    constraint assets_once unique (user_id, sha256, kind),
    constraint assets_rejected_for_a_reason check ((status = 'rejected') = (reason is not null))
);
create index assets_by_user on assets (user_id, created_at desc, id desc);
create index assets_by_user_kind on assets (user_id, kind, created_at desc, id desc);

create table compositions (
    id text primary key,
    user_id text not null check (user_id <> ''),
    name text not null,
    revision integer not null default 1 check (revision > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
create index compositions_by_user on compositions (user_id, updated_at desc, id desc)
    where deleted_at is null;

-- Never updated: an export refers to the revision that it was made from.
create table composition_revisions (
    composition_id text not null references compositions on delete cascade,
    revision integer not null check (revision > 0),
    document jsonb not null,
    created_at timestamptz not null default now(),
    primary key (composition_id, revision)
);

create table batches (
    id text primary key,
    user_id text not null check (user_id <> ''),
    name text not null,
    created_at timestamptz not null default now()
);
create index batches_by_user on batches (user_id, created_at desc, id desc);

create table export_jobs (
    id text primary key,
    user_id text not null check (user_id <> ''),
    composition_id text not null,
    config jsonb not null,
    status export_status not null default 'queued',
    progress double precision not null default 0 check (progress between 0 and 1),
    error_message text,
    -- The object's key: an address that can be downloaded is made when it is asked for.
    download_url text,
    file_size bigint check (file_size > 0),
    duration_seconds double precision check (duration_seconds > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    completed_at timestamptz,

    name text not null,
    composition_revision integer not null,
    -- What its first work item is told (shared.intake.IntakeSpec), also when it is tried again.
    intake jsonb not null,
    batch_id text references batches,
    reexport_of text references export_jobs on delete set null,
    priority smallint not null default 0 check (priority between -100 and 100),
    start_s double precision not null default 0 check (start_s >= 0),
    end_s double precision check (end_s > start_s),
    stage text not null default 'queued',
    reason text,
    error_log text,
    warnings jsonb not null default '[]',
    -- What draws its frames, and the plan without its chunks (coordinator.planning.ExportPlan);
    -- null until the intake is done.
    engine text,
    plan jsonb,
    frames integer check (frames > 0),
    frames_committed integer not null default 0,
    frames_done integer not null default 0,
    chunks integer check (chunks > 0),
    chunks_done integer not null default 0,
    chunks_cached integer not null default 0,
    fps double precision,
    eta_s double precision,
    sha256 text,
    started_at timestamptz,
    expires_at timestamptz,
    expired_at timestamptz,
    -- Set when nothing of a cancelled or failed export lies about any more.
    cleaned_at timestamptz,

    foreign key (composition_id, composition_revision) references composition_revisions,
    constraint export_jobs_completed_whole check (
        status <> 'completed' or (
            progress = 1 and file_size is not null and duration_seconds is not null
            and completed_at is not null and sha256 is not null
            and (download_url is not null or expired_at is not null))),
    constraint export_jobs_failed_for_a_reason check (
        (status = 'failed') = (error_message is not null)),
    constraint export_jobs_one_only_at_the_end check (progress < 1 or status = 'completed'),
    constraint export_jobs_counts check (
        frames_done between 0 and coalesce(frames, 0)
        and frames_committed between 0 and coalesce(frames, 0)
        and chunks_done between 0 and coalesce(chunks, 0)
        and chunks_cached between 0 and chunks_done)
);
create index export_jobs_by_user on export_jobs (user_id, created_at desc, id desc);
create index export_jobs_by_user_status on export_jobs (user_id, status, created_at desc, id desc);
create index export_jobs_by_status on export_jobs (status, created_at desc);
create index export_jobs_by_batch on export_jobs (batch_id) where batch_id is not null;
create index export_jobs_expiring on export_jobs (expires_at) where expired_at is null;
create index export_jobs_uncleaned on export_jobs (updated_at)
    where status in ('failed', 'cancelled') and cleaned_at is null;
create index export_jobs_by_result on export_jobs (download_url) where download_url is not null;

-- What has been made, by what determines its bytes; found again by every export that needs it.
create table artifacts (
    content_key text primary key,
    object_key text not null unique,
    size_bytes bigint not null check (size_bytes > 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    report jsonb not null,
    created_at timestamptz not null default now(),
    used_at timestamptz not null default now()
);
create index artifacts_by_use on artifacts (used_at);

-- Everything that a worker does.
create table work_items (
    id bigint generated always as identity primary key,
    kind item_kind not null,
    export_id text references export_jobs on delete cascade,
    asset_id text references assets on delete cascade,
    user_id text not null,
    -- Probes come before everything else.
    rank smallint not null generated always as (case kind when 'probe' then 0 else 1 end) stored,
    priority smallint not null default 0,
    -- When its export was accepted: first in, first out between equals.
    queued_at timestamptz not null default now(),
    -- Its place within its export.
    position integer not null default 0,
    chunk_index integer,
    start_frame integer,
    stop_frame integer,
    -- What the worker is told; for a chunk it is made from its export's plan.
    spec jsonb,
    -- What determines its result; null where that is not kept.
    content_key text,
    status item_status not null default 'ready',
    not_before timestamptz not null default now(),
    suspect integer not null default 0,
    transient integer not null default 0,
    report jsonb,
    created_at timestamptz not null default now(),
    ended_at timestamptz,

    constraint work_items_belong check ((kind = 'probe') = (asset_id is not null)
        and (kind = 'probe') = (export_id is null)),
    constraint work_items_chunks check (
        (kind = 'chunk') = (chunk_index is not null)
        and (kind = 'chunk') = (start_frame is not null)
        and (kind = 'chunk') = (stop_frame is not null)
        and (kind = 'chunk') = (spec is null)
        and stop_frame > start_frame),
    constraint work_items_reported check ((status = 'done') = (report is not null)),
    constraint work_items_once unique nulls not distinct (export_id, asset_id, kind, chunk_index)
);
create index work_items_ready on work_items
    (user_id, rank, priority desc, queued_at, export_id, position) where status = 'ready';
create index work_items_running on work_items (user_id) where status = 'running';
create index work_items_running_content on work_items (content_key)
    where status = 'running' and content_key is not null;
create index work_items_by_content on work_items (content_key) where content_key is not null;
create index work_items_by_asset on work_items (asset_id) where asset_id is not null;

create table attempts (
    id bigint generated always as identity primary key,
    item_id bigint not null references work_items on delete cascade,
    number integer not null check (number > 0),
    epoch bigint not null,
    worker text,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome attempt_outcome,
    error_kind text,
    error_message text,
    constraint attempts_numbered unique (item_id, number),
    constraint attempts_ended check ((outcome is null) = (ended_at is null))
);
create index attempts_under_way on attempts (item_id) where outcome is null;
-- A result is committed once.
create unique index attempts_one_commit on attempts (item_id) where outcome = 'committed';

-- What clients are told, in the order of an export's changes: every writer holds the lock of the
-- export's row, so a higher id is a later state.
create table events (
    id bigint generated always as identity primary key,
    export_id text not null references export_jobs on delete cascade,
    data jsonb not null,
    -- Not a change of status or stage: dropped after a while.
    passing boolean not null,
    created_at timestamptz not null default now()
);
create index events_by_export on events (export_id, id);
create index events_passing on events (created_at) where passing;

-- One row: who leads. The lock is an advisory one; the epoch tells two leaders apart.
create table dispatcher (
    id boolean primary key default true check (id),
    epoch bigint not null default 0,
    leader text,
    since timestamptz,
    heartbeat_at timestamptz,
    -- How many work items run at a time.
    slots integer not null default 0
);
insert into dispatcher default values;

create function notify_event() returns trigger language plpgsql as $$
begin
    perform pg_notify('midifarm_events',
        json_build_object('id', new.id, 'export_id', new.export_id)::text);
    return null;
end $$;
create trigger events_notify after insert on events
    for each row execute function notify_event();

create function notify_work() returns trigger language plpgsql as $$
begin
    perform pg_notify('midifarm_work', '');
    return null;
end $$;
create trigger work_items_notify after insert or update of status on work_items
    for each statement execute function notify_work();

-- The tables of shared/states.py, once more where no program can get round them.
create function check_export_transition() returns trigger language plpgsql as $$
begin
    if (old.status::text, new.status::text) not in (
        ('queued', 'rendering'), ('queued', 'failed'), ('queued', 'cancelled'),
        ('rendering', 'uploading'), ('rendering', 'failed'), ('rendering', 'cancelled'),
        ('uploading', 'rendering'), ('uploading', 'completed'), ('uploading', 'failed'),
        ('uploading', 'cancelled'),
        ('failed', 'queued'), ('cancelled', 'queued')
    ) then
        raise exception 'export %: % cannot become %', new.id, old.status, new.status
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger export_jobs_transition before update of status on export_jobs
    for each row when (old.status is distinct from new.status)
    execute function check_export_transition();

create function check_item_transition() returns trigger language plpgsql as $$
begin
    if (old.status::text, new.status::text) not in (
        ('ready', 'running'), ('ready', 'done'), ('ready', 'cancelled'),
        ('running', 'done'), ('running', 'ready'), ('running', 'failed'),
        ('running', 'cancelled'),
        ('done', 'ready')
    ) then
        raise exception 'work item %: % cannot become %', new.id, old.status, new.status
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger work_items_transition before update of status on work_items
    for each row when (old.status is distinct from new.status)
    execute function check_item_transition();

-- Tell clients how an export stands. Call it last in a transaction that holds the export's lock.
create function tell_export(which text, is_passing boolean) returns void language sql as $$
    insert into events (export_id, passing, data)
    select id, is_passing, jsonb_build_object(
        'id', id, 'status', status, 'stage', stage, 'progress', progress, 'reason', reason,
        'frames_done', frames_done, 'frames', frames, 'fps', fps, 'eta_s', eta_s,
        'chunks_done', chunks_done, 'chunks', chunks, 'error_message', error_message,
        'updated_at', updated_at)
    from export_jobs where id = which;
$$;
