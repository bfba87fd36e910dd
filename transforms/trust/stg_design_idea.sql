-- Ideas that the partner offered, and when we first said yes: our own word, not the partner's.
-- grain: partner, direction, idea_id
-- reads: landed.design_idea, own.design_idea, run
-- range: arrived_at <= run.as_of; accepted_at is null while we have not accepted; who wrote its first
--        status has offered it: an answer to an idea of ours is none of the partner's
with
asked as (select as_of from run),

offered as (
    select
        partner,
        idea_id,
        min(arrived_at) as offered_at,
        min((status_no, arrived_at)) as first_said
    from landed.design_idea
    cross join asked
    where arrived_at <= asked.as_of
    group by partner, idea_id
    having min(status_no) = 1
),

ours as (
    select
        partner,
        idea_id,
        min((status_no, arrived_at)) as first_said
    from own.design_idea
    cross join asked
    where arrived_at <= asked.as_of
    group by partner, idea_id
),

accepted as (
    select
        partner,
        idea_id,
        min(arrived_at) as accepted_at
    from own.design_idea
    cross join asked
    where arrived_at <= asked.as_of and status in ('accepted', 'implemented')
    group by partner, idea_id
)

select
    offered.partner,
    'in' as direction,
    offered.idea_id,
    offered.offered_at,
    -- Never before the offer; `greatest` alone would take the offer for an unanswered yes.
    case
        when accepted.accepted_at is not null
            then greatest(accepted.accepted_at, offered.offered_at)
    end as accepted_at
from offered
left join accepted using (partner, idea_id)
left join ours using (partner, idea_id)
where coalesce(offered.first_said <= ours.first_said, true)
