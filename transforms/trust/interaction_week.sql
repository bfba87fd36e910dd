-- What time together went into, week by week: transactional or not, and how much of it both recorded.
-- grain: partner, direction, week
-- reads: int_interaction
-- range: as int_interaction: each meeting once, though both sides record it; told_lag_hours is the mean
--        over purposes of the time until the partner's record was here
select
    partner,
    direction,
    week,
    sum(meetings)::bigint as meetings,
    sum(minutes)::bigint as minutes,
    coalesce(sum(minutes) filter (where is_transactional), 0)::bigint as minutes_transactional,
    sum(agreed_minutes)::bigint as minutes_agreed,
    avg(told_lag_hours) as told_lag_hours
from int_interaction
group by partner, direction, week
order by partner, direction, week
