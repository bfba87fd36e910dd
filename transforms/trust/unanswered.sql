-- Complaints and ideas that wait for an answer: of the side that they were raised with.
-- grain: partner, direction, kind, subject_id
-- reads: landed.complaint, landed.design_idea, landed.process_idea, own.complaint, own.design_idea,
--        own.process_idea, run
-- range: arrived_at <= run.as_of; answered is what either side says so of, with a day or a status;
--        who wrote its first status has raised it
with
asked as (select as_of from run),

told as (
    select
        *,
        'complaint' as kind,
        complaint_id as subject_id,
        'us' as waits_for
    from landed.complaint
    union all by name
    select
        *,
        'design_idea' as kind,
        idea_id as subject_id,
        'us' as waits_for
    from landed.design_idea
    union all by name
    select
        *,
        'process_idea' as kind,
        idea_id as subject_id,
        'us' as waits_for
    from landed.process_idea
    union all by name
    select
        *,
        'complaint' as kind,
        complaint_id as subject_id,
        'partner' as waits_for
    from own.complaint
    union all by name
    select
        *,
        'design_idea' as kind,
        idea_id as subject_id,
        'partner' as waits_for
    from own.design_idea
    union all by name
    select
        *,
        'process_idea' as kind,
        idea_id as subject_id,
        'partner' as waits_for
    from own.process_idea
),

stated as (
    select
        told.partner,
        told.kind,
        told.subject_id,
        told.waits_for,
        told.status_no,
        told.arrived_at,
        told.answered_on is not null
        or coalesce(told.status, '') in (
            'answered', 'accepted', 'rejected', 'closed', 'implemented'
        ) as is_answered
    from told
    cross join asked
    where told.arrived_at <= asked.as_of
)

select
    partner,
    'in' as direction,
    kind,
    subject_id,
    min(arrived_at) as raised_at,
    arg_min(waits_for, (status_no, arrived_at)) as waits_for
from stated
group by partner, kind, subject_id
having not bool_or(is_answered)
order by partner, kind, subject_id
