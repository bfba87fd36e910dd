-- How we stand financially, for a partner, each statement once.
-- grain: period_end
-- reads: source_financial_health, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_financial_health),

asked as (select * from run)

select
    source.period_end,
    source.months,
    source.equity_ratio,
    source.current_ratio,
    source.quick_ratio,
    source.ebit_margin,
    source.working_capital_days,
    source.payables_days,
    source.interest_cover,
    source.sales,
    source.currency,
    source.audited,
    source.note
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.period_end
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.period_end is null
order by source.period_end, source.recorded_at
