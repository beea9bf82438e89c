-- Clients and operators: scopes, idempotency, batches by the thousand, webhooks, quotas, what uses
-- what, the farm as operators see it, and what they did.

-- Tables are written anew, which takes its time where they are large.
set local statement_timeout = 0;

-- Who may do what. The order matters: an admin may what an operator may, who may what a user may.

create type scope as enum ('user', 'operator', 'admin');
alter table api_keys add column scope scope not null default 'user';
update api_keys set scope = 'admin' where is_admin;
alter table api_keys drop column is_admin;
-- Since when it is valid no more; null: it does not expire.
alter table api_keys add column expires_at timestamptz;

-- What operators did, in the transaction in which they did it. Never updated.
create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    user_id text not null,
    -- With which key; null: with a token of the identity provider's.
    key_id text,
    action text not null,
    -- What it was done to: the id of an export, a node, a user, a key; null: the farm.
    target text,
    detail jsonb not null default '{}'
);
create index audit_log_by_target on audit_log (target, id desc) where target is not null;

-- Answers to requests that may come twice; written in the transaction that they tell of.
create table idempotency_keys (
    user_id text not null,
    key text not null,
    -- SHA-256 of the request: the same key for another one is a mistake.
    request_hash bytea not null check (octet_length(request_hash) = 32),
    status smallint,
    response jsonb,
    created_at timestamptz not null default now(),
    primary key (user_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Where somebody wants to be told how exports end.
create table webhooks (
    id text primary key,
    user_id text not null check (user_id <> ''),
    name text not null,
    url text not null,
    -- What deliveries are signed with (Standard Webhooks: whsec_ and base64).
    secret text not null,
    -- What it replaced, which signs too until the receiver knows the new one.
    old_secret text,
    old_secret_until timestamptz,
    -- Told of all exports and batches of its user's; else of those alone that name it.
    is_general boolean not null default true,
    -- Which events; all of them where it is empty.
    events text[] not null default '{}',
    is_enabled boolean not null default true,
    created_at timestamptz not null default now(),
    constraint webhooks_rotated check ((old_secret is null) = (old_secret_until is null))
);
create index webhooks_by_user on webhooks (user_id, is_general, created_at desc, id desc);
-- One for each address and secret that exports name.
create unique index webhooks_of_exports on webhooks (user_id, url, secret) where not is_general;

create type delivery_status as enum ('pending', 'delivered', 'failed', 'cancelled');

-- Events on their way to webhooks: one row for each event and webhook.
create table deliveries (
    id text primary key,
    webhook_id text not null references webhooks on delete cascade,
    user_id text not null,
    export_id text,
    batch_id text,
    -- export.completed, export.failed, export.cancelled, batch.ended, ping.
    event text not null,
    -- How it stood when it happened.
    data jsonb not null,
    status delivery_status not null default 'pending',
    tries integer not null default 0,
    -- Those in vain since it was queued.
    failures integer not null default 0,
    -- It is given up some time after.
    queued_at timestamptz not null default now(),
    -- When it may be taken up: for the next try, or from who has it and does not come back.
    next_at timestamptz not null default now(),
    -- Some API process is at it until then.
    leased_until timestamptz,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint deliveries_ended check ((status = 'pending') = (ended_at is null)),
    constraint deliveries_leased check (leased_until is null or status = 'pending')
);
create index deliveries_due on deliveries (next_at) where status = 'pending';
create index deliveries_waiting on deliveries (webhook_id, next_at, id) where status = 'pending';
create index deliveries_under_way on deliveries (webhook_id) where leased_until is not null;
create index deliveries_by_webhook on deliveries (webhook_id, created_at desc, id desc);
create index deliveries_by_export on deliveries (export_id) where export_id is not null;
create index deliveries_by_age on deliveries (ended_at) where ended_at is not null;

-- What came of each try.
create table delivery_tries (
    delivery_id text not null references deliveries on delete cascade,
    number integer not null check (number > 0),
    at timestamptz not null default now(),
    took_s double precision not null check (took_s >= 0),
    -- What the receiver answered; null: nothing.
    http_status smallint,
    -- Null: it took it.
    error text,
    primary key (delivery_id, number)
);

create function notify_deliveries() returns trigger language plpgsql as $$
begin
    if exists (select from added) then
        perform pg_notify('midifarm_deliveries', '');
    end if;
    return null;
end $$;
create trigger deliveries_notify after insert on deliveries
    referencing new table as added for each statement execute function notify_deliveries();

-- What users may have at a time; null: what the settings say.
create table quotas (
    user_id text primary key check (user_id <> ''),
    -- Work items under way.
    running integer check (running >= 0),
    -- Exports that have not ended.
    queued integer check (queued >= 0),
    stored_bytes bigint check (stored_bytes >= 0),
    updated_at timestamptz not null default now()
);

-- What each user has stored, kept by triggers: adding it up would take long in a long history.
create table user_storage (
    user_id text primary key,
    assets integer not null default 0,
    asset_bytes bigint not null default 0,
    videos integer not null default 0,
    video_bytes bigint not null default 0
);
insert into user_storage (user_id, assets, asset_bytes)
select user_id, count(*), sum(size_bytes) from assets group by user_id;
insert into user_storage as s (user_id, videos, video_bytes)
select user_id, count(*), sum(file_size) from export_jobs
where status = 'completed' and expired_at is null group by user_id
on conflict (user_id) do update set videos = excluded.videos, video_bytes = excluded.video_bytes;

create function count_assets() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into user_storage as s (user_id, assets, asset_bytes)
        values (new.user_id, 1, new.size_bytes)
        on conflict (user_id) do update
            set assets = s.assets + 1, asset_bytes = s.asset_bytes + excluded.asset_bytes;
    else
        update user_storage set assets = assets - 1, asset_bytes = asset_bytes - old.size_bytes
        where user_id = old.user_id;
    end if;
    return null;
end $$;
create trigger assets_counted after insert or delete on assets
    for each row execute function count_assets();

-- Which assets a composition names, by revision, and a template by version: kept by triggers.
create function asset_names(document jsonb) returns setof text language sql immutable as $$
    select distinct named #>> '{}' from jsonb_path_query(
        document, 'strict $.** ? (@.type() == "string" && @ starts with "ast_")') as named;
$$;

create table revision_assets (
    asset_id text not null references assets on delete cascade,
    composition_id text not null,
    revision integer not null,
    primary key (asset_id, composition_id, revision),
    foreign key (composition_id, revision) references composition_revisions on delete cascade
);
create index revision_assets_by_revision on revision_assets (composition_id, revision);
insert into revision_assets (asset_id, composition_id, revision)
select a.id, r.composition_id, r.revision
from composition_revisions r, asset_names(r.document) as named (id) join assets a using (id);

create function note_revision_assets() returns trigger language plpgsql as $$
begin
    insert into revision_assets (asset_id, composition_id, revision)
    select a.id, new.composition_id, new.revision
    from asset_names(new.document) as named (id) join assets a using (id);
    return null;
end $$;
create trigger composition_revisions_assets after insert on composition_revisions
    for each row execute function note_revision_assets();

create table template_assets (
    asset_id text not null references assets on delete cascade,
    template_id text not null,
    version integer not null,
    primary key (asset_id, template_id, version),
    foreign key (template_id, version) references template_versions on delete cascade
);
create index template_assets_by_version on template_assets (template_id, version);
insert into template_assets (asset_id, template_id, version)
select a.id, v.template_id, v.version
from template_versions v, asset_names(v.document) as named (id) join assets a using (id);

create function note_template_assets() returns trigger language plpgsql as $$
begin
    insert into template_assets (asset_id, template_id, version)
    select a.id, new.template_id, new.version
    from asset_names(new.document) as named (id) join assets a using (id);
    return null;
end $$;
create trigger template_versions_assets after insert on template_versions
    for each row execute function note_template_assets();

create index assets_by_hash on assets (sha256);

-- Objects whose last asset was deleted: the janitor removes those that nothing refers to.
create table doomed_objects (
    object_key text primary key,
    since timestamptz not null default now()
);

alter table export_jobs
    -- Told of its end, beside its user's general webhooks.
    add column webhook_id text references webhooks on delete set null,
    -- An operator holds it: nothing more of it begins.
    add column paused_at timestamptz,
    -- Its owner wants it no more: shown to nobody, removed with what it made by the janitor.
    add column deleted_at timestamptz,
    -- Its work items are forgotten, some days after its end.
    add column archived_at timestamptz,
    add constraint export_jobs_deleted_after_its_end check (
        deleted_at is null or status in ('completed', 'failed', 'cancelled'));
-- What can be seen is found in an index alone, deleted or not: hence all of these are partial.
drop index export_jobs_by_user, export_jobs_by_user_status, export_jobs_by_batch;
create index export_jobs_by_user on export_jobs (user_id, created_at desc, id desc)
    where deleted_at is null;
create index export_jobs_by_user_status on export_jobs
    (user_id, status, created_at desc, id desc) where deleted_at is null;
create index export_jobs_by_batch on export_jobs (batch_id, created_at desc, id desc)
    where batch_id is not null and deleted_at is null;
create index export_jobs_by_batch_status on export_jobs (batch_id, status)
    where batch_id is not null and deleted_at is null;
create index export_jobs_by_composition on export_jobs
    (composition_id, created_at desc, id desc) where deleted_at is null;
create index export_jobs_by_origin on export_jobs (reexport_of) where reexport_of is not null;
create index export_jobs_by_webhook on export_jobs (webhook_id) where webhook_id is not null;
create index export_jobs_deleted on export_jobs (deleted_at) where deleted_at is not null;
create index export_jobs_to_archive on export_jobs (completed_at)
    where completed_at is not null and archived_at is null;
-- By status, too: what was cancelled is cleaned at once, and asked for all the time.
drop index export_jobs_uncleaned;
create index export_jobs_uncleaned on export_jobs (status, updated_at)
    where status in ('failed', 'cancelled') and cleaned_at is null;
create index artifacts_of_previews on artifacts (used_at) where content_key like 'previews/%';

create function has_video(e export_jobs) returns boolean language sql immutable as $$
    select e.status = 'completed' and e.expired_at is null and e.deleted_at is null;
$$;

create function count_videos() returns trigger language plpgsql as $$
begin
    if has_video(new) then
        insert into user_storage as s (user_id, videos, video_bytes)
        values (new.user_id, 1, new.file_size)
        on conflict (user_id) do update
            set videos = s.videos + 1, video_bytes = s.video_bytes + excluded.video_bytes;
    else
        update user_storage set videos = videos - 1, video_bytes = video_bytes - old.file_size
        where user_id = old.user_id;
    end if;
    return null;
end $$;
create trigger export_jobs_counted after update of status, expired_at, deleted_at on export_jobs
    for each row when (has_video(old) is distinct from has_video(new))
    execute function count_videos();

alter table work_items
    -- Its export is paused.
    add column held boolean not null default false;
drop index work_items_ready;
create index work_items_ready on work_items
    (user_id, rank, priority desc, queued_at, export_id, position)
    where status = 'ready' and not held;
create index work_items_held on work_items (user_id) where status = 'ready' and held;

-- The farm, as its dispatcher last saw it.
create table nodes (
    -- Ray's id, new with every start of the node.
    id text primary key,
    name text not null,
    cpus double precision not null,
    gpus double precision not null,
    -- It finishes what it has begun, and gets nothing more.
    draining_at timestamptz,
    first_seen_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
);
alter table attempts
    add column node text,
    add column frames integer not null default 0;
create index attempts_all_under_way on attempts (id) where outcome is null;
alter table dispatcher
    -- Nothing begins while this is set.
    add column paused_at timestamptz,
    add column paused_by text,
    add column pause_reason text,
    -- Work items under way at a time of a user who has no quota of his own; null: any number.
    add column quota_running integer check (quota_running >= 0);

-- Events, also for who watches a batch, or everything of his own.
alter table events
    add column user_id text,
    add column batch_id text;
update events v set user_id = e.user_id, batch_id = e.batch_id
from export_jobs e where e.id = v.export_id;
alter table events alter column user_id set not null;
create index events_by_user on events (user_id, id);
create index events_by_batch on events (batch_id, id) where batch_id is not null;

create or replace function notify_event() returns trigger language plpgsql as $$
begin
    perform pg_notify('midifarm_events', json_build_object(
        'id', new.id, 'export_id', new.export_id, 'user_id', new.user_id,
        'batch_id', new.batch_id)::text);
    return null;
end $$;

create or replace function tell_export(which text, is_passing boolean) returns void
language sql as $$
    insert into events (export_id, user_id, batch_id, passing, data)
    select id, user_id, batch_id, is_passing, jsonb_build_object(
        'id', id, 'name', name, 'batch_id', batch_id, 'status', status, 'stage', stage,
        'progress', progress, 'reason', reason,
        'frames_done', frames_done, 'frames', frames, 'fps', fps, 'eta_s', eta_s,
        'chunks_done', chunks_done, 'chunks', chunks, 'error_message', error_message,
        'updated_at', updated_at)
    from export_jobs where id = which;
$$;

-- Webhooks are told how exports and batches end in the transaction in which they do.

create function new_id(prefix text) returns text language sql volatile as $$
    select prefix || '_' || left(replace(gen_random_uuid()::text, '-', ''), 26);
$$;

create function is_wanted(event text, events text[]) returns boolean language sql immutable as $$
    select events = '{}' or event = any (events);
$$;

create function deliver_exports(ended text[]) returns void language plpgsql as $$
declare
    told text[];
begin
    -- Held until the end: who deletes a webhook waits for this, who deletes it already is let go.
    told := array(
        select id from webhooks
        where is_enabled and id in (
            select w.id from webhooks w
            where w.is_general
                and w.user_id in (select user_id from export_jobs where id = any (ended))
            union
            select webhook_id from export_jobs where id = any (ended) and webhook_id is not null)
        for key share skip locked);
    insert into deliveries (id, webhook_id, user_id, export_id, batch_id, event, data)
    select new_id('dlv'), w.id, e.user_id, e.id, e.batch_id, 'export.' || e.status,
        jsonb_build_object(
            'id', e.id, 'name', e.name, 'batch_id', e.batch_id,
            'composition_id', e.composition_id, 'status', e.status, 'progress', e.progress,
            'error_message', e.error_message, 'reason', e.reason, 'file_size', e.file_size,
            'duration_seconds', e.duration_seconds, 'sha256', e.sha256, 'warnings', e.warnings,
            'created_at', e.created_at, 'completed_at', e.completed_at, 'download_url',
            case when has_video(e) then '/v1/exports/' || e.id || '/download' end)
    from export_jobs e cross join lateral (
        select id, events from webhooks where user_id = e.user_id and is_general
        union all
        select id, events from webhooks where id = e.webhook_id and not is_general) w
    where e.id = any (ended) and w.id = any (told) and is_wanted('export.' || e.status, w.events);
end $$;

create function deliver_batch(ended text) returns void language plpgsql as $$
declare
    told text[];
begin
    -- Of two last exports that end at the same moment, the second waits here for the first, and
    -- then sees that it was the last. Exports are locked before their batch.
    perform from batches where id = ended for no key update;
    if exists (
        select from export_jobs
        where batch_id = ended and deleted_at is null
            and status in ('queued', 'rendering', 'uploading')
    ) then
        return;
    end if;
    told := array(
        select w.id from webhooks w
        where w.is_enabled and w.user_id = (select user_id from batches where id = ended) and (
            w.is_general or w.id in (
                select webhook_id from export_jobs
                where batch_id = ended and deleted_at is null))
        for key share skip locked);
    insert into deliveries (id, webhook_id, user_id, batch_id, event, data)
    select new_id('dlv'), w.id, b.user_id, b.id, 'batch.ended', jsonb_build_object(
        'id', b.id, 'name', b.name, 'created_at', b.created_at, 'counts', (
            select jsonb_build_object(
                'completed', count(*) filter (where status = 'completed'),
                'failed', count(*) filter (where status = 'failed'),
                'cancelled', count(*) filter (where status = 'cancelled'))
            from export_jobs where batch_id = ended and deleted_at is null))
    from batches b, webhooks w
    where b.id = ended and w.id = any (told) and is_wanted('batch.ended', w.events);
end $$;

-- Every update of an export comes by, most of them progress: that costs one look at a few rows.
create function deliver_ends() returns trigger language plpgsql as $$
declare
    ended text[];
begin
    if not exists (select from after where status in ('completed', 'failed', 'cancelled'))
        or not exists (
            select from webhooks where is_enabled and user_id in (select user_id from after))
    then
        return null;
    end if;
    -- No join of the two: its plan is made for the few rows of the first time, and kept.
    ended := array(
        select id from after where status in ('completed', 'failed', 'cancelled')
        except
        select id from before where status in ('completed', 'failed', 'cancelled'));
    perform deliver_exports(ended);
    perform deliver_batch(batch_id) from (
        select distinct batch_id from export_jobs
        where id = any (ended) and batch_id is not null order by batch_id) ended_batches;
    return null;
end $$;
create trigger export_jobs_delivered after update on export_jobs
    referencing old table as before new table as after
    for each statement execute function deliver_ends();
