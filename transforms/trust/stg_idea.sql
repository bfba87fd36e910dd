-- Ideas that the partner offered, and when we first said yes: our own word, not the partner's.
-- grain: partner, direction, kind, idea_id
-- reads: landed.design_idea, landed.process_idea, own.design_idea, own.process_idea, run
-- range: arrived_at <= run.as_of; accepted_at is null while we have not accepted
with
asked as (select as_of from run),

told as (
    select
        partner,
        'design_idea' as kind,
        idea_id,
        arrived_at
    from landed.design_idea
    union all
    select
        partner,
        'process_idea' as kind,
        idea_id,
        arrived_at
    from landed.process_idea
),

answered as (
    select
        partner,
        'design_idea' as kind,
        idea_id,
        status,
        arrived_at
    from own.design_idea
    union all
    select
        partner,
        'process_idea' as kind,
        idea_id,
        status,
        arrived_at
    from own.process_idea
),

offered as (
    select
        partner,
        kind,
        idea_id,
        min(arrived_at) as offered_at
    from told
    cross join asked
    where arrived_at <= asked.as_of
    group by partner, kind, idea_id
),

accepted as (
    select
        partner,
        kind,
        idea_id,
        min(arrived_at) as accepted_at
    from answered
    cross join asked
    where arrived_at <= asked.as_of and status in ('accepted', 'implemented')
    group by partner, kind, idea_id
)

select
    offered.partner,
    'in' as direction,
    offered.kind,
    offered.idea_id,
    offered.offered_at,
    -- Never before the offer; `greatest` alone would take the offer for an unanswered yes.
    case
        when accepted.accepted_at is not null
            then greatest(accepted.accepted_at, offered.offered_at)
    end as accepted_at
from offered
left join accepted using (partner, kind, idea_id)
