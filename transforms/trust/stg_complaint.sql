-- Complaints that the partner raised, each once, with what it is about.
-- grain: partner, direction, complaint_id
-- reads: landed.complaint, run
-- range: arrived_at <= run.as_of; raised when it was here, whatever day the sender wrote; who answers a
--        complaint of ours has raised none
with
asked as (select as_of from run),

complaint as (select * from landed.complaint)

select
    partner,
    'in' as direction,
    complaint_id,
    min(arrived_at) as raised_at,
    arg_min(item_id, (status_no, arrived_at)) as item_id,
    -- kind:key, and the key of a delivery ends with that of its order line.
    arg_min(split_part(subject_ref, ':', 1), (status_no, arrived_at)) as subject_kind,
    arg_min(regexp_extract(subject_ref, '[^:/]+/[0-9]+$'), (status_no, arrived_at))
        as subject_line,
    -- The key alone, with one separator for those that people use.
    arg_min(
        translate(regexp_replace(subject_ref, '^[a-z_]+:', ''), '-:#| ', '/////'),
        (status_no, arrived_at)
    ) as subject_key
from complaint
cross join asked
where arrived_at <= asked.as_of
group by partner, complaint_id
having min(status_no) = 1
