-- Every format: surveys before chunks, previews, posters, sound alone, renderings that missed.

-- Work items are written anew, which in a large table takes its time.
set local statement_timeout = 0;

-- A value that is added to a type cannot be used in the same transaction: the type is made anew,
-- and with it what is made from its values.
alter table work_items
    drop constraint work_items_belong,
    drop constraint work_items_chunks,
    drop constraint work_items_once,
    drop column rank;
alter type item_kind rename to item_kind_0001;
create type item_kind as enum
    ('probe', 'preview', 'intake', 'survey', 'audio', 'chunk', 'stitch');
alter table work_items alter column kind type item_kind using kind::text::item_kind;
drop type item_kind_0001;

create type preview_status as enum ('pending', 'ready', 'failed');

-- What somebody looks at before an export, or while it renders; forgotten after some hours.
create table previews (
    id text primary key,
    user_id text not null check (user_id <> ''),
    spec jsonb not null,
    status preview_status not null default 'pending',
    object_key text,
    media_type text,
    width integer check (width > 0),
    height integer check (height > 0),
    size_bytes bigint check (size_bytes > 0),
    sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
    warnings jsonb not null default '[]',
    reason text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    expires_at timestamptz not null,
    constraint previews_ready_whole check ((status = 'ready') = (object_key is not null)
        and (status = 'ready') = (media_type is not null)
        and (status = 'ready') = (width is not null)
        and (status = 'ready') = (height is not null)
        and (status = 'ready') = (size_bytes is not null)
        and (status = 'ready') = (sha256 is not null)),
    constraint previews_failed_for_a_reason check ((status = 'failed') = (reason is not null)),
    constraint previews_ended check ((status = 'pending') = (ended_at is null))
);
create index previews_pending on previews (user_id) where status = 'pending';
create index previews_expiring on previews (expires_at);
create index previews_by_result on previews (object_key) where object_key is not null;

create function notify_preview() returns trigger language plpgsql as $$
begin
    perform pg_notify('midifarm_previews', new.id);
    return null;
end $$;
create trigger previews_notify after update of status on previews
    for each row when (old.status is distinct from new.status)
    execute function notify_preview();

alter table work_items
    add column preview_id text references previews on delete cascade,
    -- What somebody waits for comes before everything else.
    add column rank smallint not null generated always as
        (case kind when 'probe' then 0 when 'preview' then 0 else 1 end) stored,
    add constraint work_items_belong check ((kind = 'probe') = (asset_id is not null)
        and (kind = 'preview') = (preview_id is not null)
        and (kind in ('probe', 'preview')) = (export_id is null)),
    add constraint work_items_chunks check (
        (kind = 'chunk') = (chunk_index is not null)
        and (kind = 'chunk') = (start_frame is not null)
        and (kind = 'chunk') = (stop_frame is not null)
        and (kind = 'chunk') = (spec is null)
        and stop_frame > start_frame),
    add constraint work_items_once
        unique nulls not distinct (export_id, asset_id, preview_id, kind, chunk_index);
create index work_items_ready on work_items
    (user_id, rank, priority desc, queued_at, export_id, position) where status = 'ready';
create index work_items_previews on work_items (id) where kind = 'preview' and status = 'ready';
create index work_items_by_preview on work_items (preview_id) where preview_id is not null;

alter table export_jobs
    -- The object's key of the picture that stands for the video; removed with it.
    add column poster_key text,
    -- Whether others of its batch show the same frames, so that those are kept for a while.
    add column shared_frames boolean not null default false,
    -- How often it was rendered until it had the rate and the size that were asked for.
    add column renderings integer not null default 1 check (renderings > 0),
    -- Sound alone has none.
    drop constraint export_jobs_frames_check,
    drop constraint export_jobs_chunks_check,
    add constraint export_jobs_frames_check check (frames >= 0),
    add constraint export_jobs_chunks_check check (chunks >= 0);
create index export_jobs_sharing on export_jobs (status) where shared_frames;

-- A video's poster stands as long as the video.
create index artifacts_by_poster on artifacts ((report ->> 'poster_key'))
    where report ->> 'poster_key' is not null;
