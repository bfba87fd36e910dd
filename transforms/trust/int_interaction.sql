-- Time spent together by week and purpose: by our own record, and by the partner's.
-- grain: partner, direction, week, purpose
-- reads: int_interaction_pair, stg_interaction
-- range: weeks in which a meeting was held; minutes are of all meetings that either side recorded, each
--        once: where both did, by our record; agreed_minutes are those of both; told_lag_hours is the
--        mean time from the end of the day until the partner's record was here
with
matched as (
    select
        partner,
        direction,
        own_id as interaction_id,
        true as is_own,
        true as is_agreed
    from int_interaction_pair
    union all
    select
        partner,
        direction,
        told_id as interaction_id,
        false as is_own,
        true as is_agreed
    from int_interaction_pair
),

record as (
    select
        record.*,
        coalesce(matched.is_agreed, false) as is_agreed
    from stg_interaction as record
    left join matched using (partner, direction, interaction_id, is_own)
    where record.held_on is not null
)

select
    partner,
    direction,
    date_trunc('week', held_on)::date as week,
    purpose,
    bool_or(is_transactional) as is_transactional,
    count(*) filter (where is_own or not is_agreed) as meetings,
    coalesce(sum(minutes) filter (where is_own or not is_agreed), 0) as minutes,
    coalesce(sum(minutes) filter (where is_own), 0) as own_minutes,
    coalesce(sum(minutes) filter (where not is_own), 0) as told_minutes,
    coalesce(sum(minutes) filter (where is_own and is_agreed), 0) as agreed_minutes,
    avg(date_diff('minute', (held_on + 1)::timestamptz, told_at) / 60) filter (where not is_own)
        as told_lag_hours
from record
group by partner, direction, date_trunc('week', held_on)::date, purpose
