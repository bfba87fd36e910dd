-- What time together went into, week by week: the partner's record and ours, as each wrote them.
-- grain: partner, direction, week
-- reads: landed.interaction, own.interaction, run
-- range: minutes of meetings held in the week, by the newest record of each that was here by
--        run.as_of; price, contract and claim are transactional; where both sides recorded meetings,
--        the mean of their two sums
with
asked as (select as_of from run),

recorded as (
    select
        partner,
        'theirs' as record,
        interaction_id,
        held_on,
        minutes,
        purpose,
        arrived_at
    from landed.interaction
    union all
    select
        partner,
        'ours' as record,
        interaction_id,
        held_on,
        minutes,
        purpose,
        arrived_at
    from own.interaction
),

newest as (
    select
        partner,
        record,
        interaction_id,
        arg_max(held_on, arrived_at) as held_on,
        arg_max(minutes, arrived_at) as minutes,
        arg_max(purpose, arrived_at) as purpose
    from recorded
    cross join asked
    where arrived_at <= asked.as_of
    group by partner, record, interaction_id
),

summed as (
    select
        partner,
        record,
        date_trunc('week', held_on)::date as week,
        count(*) as meetings,
        sum(minutes) as minutes,
        coalesce(sum(minutes) filter (where purpose in ('price', 'contract', 'claim')), 0)
            as minutes_transactional
    from newest
    where held_on is not null
    group by partner, record, week
)

select
    partner,
    'in' as direction,
    week,
    avg(meetings) as meetings,
    avg(minutes) as minutes,
    avg(minutes_transactional) as minutes_transactional
from summed
group by partner, week
order by partner, direction, week
