-- Time spent together by week and purpose: by our own record, and by the partner's.
-- grain: partner, direction, week, purpose
-- reads: int_interaction_pair, stg_interaction
-- range: weeks in which a meeting was held; minutes are of all meetings that either side recorded, each
--        once: where both did, by our record; agreed_minutes are those of both; told_lag_hours is the
--        mean time from the end of the day until the partner's record was here
with
record as (
    select
        record.*,
        coalesce(pair.own_id, pair_told.told_id) is not null as is_agreed
    from stg_interaction as record
    left join int_interaction_pair as pair
        on
            record.partner = pair.partner
            and record.direction = pair.direction
            and record.interaction_id = pair.own_id
            and record.is_own
    left join int_interaction_pair as pair_told
        on
            record.partner = pair_told.partner
            and record.direction = pair_told.direction
            and record.interaction_id = pair_told.told_id
            and not record.is_own
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
