-- What the farm's work took: kept for bills and reports when what it was done for is long gone.

alter table attempts
    -- Seconds on its worker; while it is under way those so far, to some seconds. Null: it never
    -- began there.
    add column wall_s double precision check (wall_s >= 0),
    -- What it stored that was kept; 0 where somebody else had stored the same before, null where
    -- nothing is kept.
    add column stored_bytes bigint check (stored_bytes >= 0);

-- What the time of an attempt came to. `lost`: through no fault of the work, with its node or its
-- dispatcher, or since the storage failed.
create type spending as enum ('useful', 'failed', 'duplicate', 'lost', 'cancelled');

-- One row for all attempts of a day at the same: an export of an hour has about as many as one of a
-- minute. It refers to nothing, since it outlives users' exports and the work items.
create table farm_use (
    -- On which the attempts ended, in UTC.
    day date not null,
    user_id text not null,
    batch_id text,
    -- Null: previews and uploaded files.
    export_id text,
    -- Empty: of any.
    pool text not null,
    kind item_kind not null,
    spent_on spending not null,
    attempts bigint not null default 0,
    slot_s double precision not null default 0,
    -- Frames that were drawn.
    frames bigint not null default 0,
    -- Frames that were found in the store, and not drawn.
    frames_found bigint not null default 0,
    stored_bytes bigint not null default 0,
    constraint farm_use_once unique nulls not distinct
        (user_id, day, export_id, kind, spent_on, pool, batch_id)
) with (fillfactor = 70);
create index farm_use_by_day on farm_use (day);
create index farm_use_by_export on farm_use (export_id, day) where export_id is not null;
create index farm_use_by_batch on farm_use (batch_id, day) where batch_id is not null;

-- What an attempt took is added to its day, or taken back. Previews take no slot.
create function add_use(a attempts, times integer) returns void language plpgsql as $$
begin
    insert into farm_use as u (day, user_id, batch_id, export_id, pool, kind, spent_on, attempts,
        slot_s, frames, stored_bytes)
    select (a.ended_at at time zone 'UTC')::date, w.user_id, e.batch_id, w.export_id, w.pool, w.kind,
        case a.outcome
            when 'failed' then case a.error_kind when 'transient' then 'lost' else 'failed' end
            when 'lost' then 'lost'
            when 'committed' then case a.stored_bytes when 0 then 'duplicate' else 'useful' end
            -- It was late, or was stopped: since another one was first, or since nobody wants it.
            else case w.status when 'done' then 'duplicate' else 'cancelled' end
        end::spending,
        times,
        case w.kind when 'preview' then 0 else times * coalesce(a.wall_s, 0) end,
        times * case when a.outcome = 'committed' then coalesce(w.stop_frame - w.start_frame, 0)
            else a.frames end,
        times * coalesce(a.stored_bytes, 0)
    from work_items w left join export_jobs e on e.id = w.export_id where w.id = a.item_id
    on conflict on constraint farm_use_once do update set
        attempts = u.attempts + excluded.attempts, slot_s = u.slot_s + excluded.slot_s,
        frames = u.frames + excluded.frames, stored_bytes = u.stored_bytes + excluded.stored_bytes;
end $$;

-- In the transaction that ends an attempt, whoever ends it, so that nothing is counted twice or not
-- at all. What was committed is lost when its object is.
create function note_use() returns trigger language plpgsql as $$
begin
    if old.outcome is not null then
        perform add_use(old, -1);
    end if;
    perform add_use(new, 1);
    return null;
end $$;
create trigger attempts_used after update of outcome on attempts
    for each row when (new.outcome is not null and new.outcome is distinct from old.outcome)
    execute function note_use();

-- Retries, refits and replans forget work items with their attempts: those under way end before.
create function end_forgotten() returns trigger language plpgsql as $$
begin
    update attempts set outcome = 'cancelled', ended_at = now()
    where item_id = old.id and outcome is null;
    return old;
end $$;
create trigger work_items_forgotten before delete on work_items
    for each row execute function end_forgotten();
