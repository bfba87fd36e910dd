-- Every share lies between 0 and 1, and every score between 0 and 100.
-- grain: partner, direction, week
-- reads: direction_week
-- range: all weeks; null is not measured and passes
-- failure: stops
with
judged as (select * from direction_week)

select
    partner,
    direction,
    week,
    score,
    information,
    promises,
    candour,
    ideas
from judged
where
    not coalesce(score between 0 and 100, true)
    or not coalesce(information between 0 and 1, true)
    or not coalesce(promises between 0 and 1, true)
    or not coalesce(candour between 0 and 1, true)
    or not coalesce(ideas between 0 and 1, true)
order by partner, direction, week
