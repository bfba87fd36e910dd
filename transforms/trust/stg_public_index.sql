-- Public series that we registered, each value as it was published.
-- grain: series, period_start, published_at
-- reads: own.public_index, run
-- range: published_at <= run.as_of; a value counts from the end of the day it was published on
with
asked as (select as_of from run),

published as (select * from own.public_index)

select
    published.series,
    published.period_start,
    published.published_on::timestamptz + interval 1 day as published_at,
    max(published.value) as value
from published
cross join asked
where
    published.published_on::timestamptz + interval 1 day <= asked.as_of
    and published.value is not null
group by published.series, published.period_start, published_at
