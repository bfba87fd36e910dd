-- Meetings with a partner: each record of ours and of the partner's, as it was stated last.
-- grain: partner, direction, is_own, interaction_id
-- reads: landed.interaction, own.interaction, run
-- range: arrived_at <= run.as_of; told_at is when the record was first here; price, contract and claim
--        are transactional, all other purposes are not
with
asked as (select as_of from run),

known as (
    select
        *,
        true as is_own
    from own.interaction
    union all by name
    select
        *,
        false as is_own
    from landed.interaction
)

select
    known.partner,
    'in' as direction,
    known.is_own,
    known.interaction_id,
    arg_max(known.held_on, known.arrived_at) as held_on,
    arg_max(known.minutes, known.arrived_at) as minutes,
    coalesce(arg_max(known.purpose, known.arrived_at), 'other') as purpose,
    coalesce(arg_max(known.purpose, known.arrived_at) in ('price', 'contract', 'claim'), false)
        as is_transactional,
    min(known.arrived_at) as told_at
from known
cross join asked
where known.arrived_at <= asked.as_of
group by known.partner, known.is_own, known.interaction_id
