-- Complaints that the partner raised, each once, with what it is about.
-- grain: partner, direction, complaint_id
-- reads: landed.complaint, own.complaint, run
-- range: arrived_at <= run.as_of; raised when it was here, whatever day the sender wrote; who wrote
--        its first status has raised it: an answer to a complaint of ours is none of the partner's
with
asked as (select as_of from run),

raised as (
    select
        partner,
        complaint_id,
        min(arrived_at) filter (where status_no = 1) as raised_at,
        min((status_no, arrived_at)) as first_said,
        arg_min(item_id, (status_no, arrived_at)) as item_id,
        arg_min(subject_ref, (status_no, arrived_at)) as subject_ref
    from landed.complaint
    cross join asked
    where arrived_at <= asked.as_of
    group by partner, complaint_id
    having min(status_no) = 1
),

ours as (
    select
        partner,
        complaint_id,
        min((status_no, arrived_at)) as first_said
    from own.complaint
    cross join asked
    where arrived_at <= asked.as_of
    group by partner, complaint_id
)

select
    raised.partner,
    'in' as direction,
    raised.complaint_id,
    raised.raised_at,
    raised.item_id,
    -- kind:key, and the key of a delivery ends with that of its order line.
    split_part(raised.subject_ref, ':', 1) as subject_kind,
    regexp_extract(raised.subject_ref, '[^:/]+/[0-9]+$') as subject_line,
    -- The key alone, with one separator for those that people use.
    translate(
        regexp_replace(raised.subject_ref, '^[a-z_]+:', ''), '-:#| ', '/////'
    ) as subject_key
from raised
left join ours using (partner, complaint_id)
where coalesce(raised.first_said <= ours.first_said, true)
