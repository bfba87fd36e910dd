-- What services for a partner cost, planned and actual, each statement once.
-- grain: item_id, service, period_start
-- reads: source_service_cost, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_service_cost),

asked as (select * from run)

select
    source.item_id,
    source.service,
    source.period_start,
    source.planned_cost,
    source.actual_cost,
    source.hours,
    source.visits,
    source.cause,
    source.currency
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.item_id, source.service, source.period_start
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.item_id is null
    or source.service is null
    or source.period_start is null
order by source.item_id, source.service, source.period_start, source.recorded_at
