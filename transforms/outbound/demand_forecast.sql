-- What we expect to need from a partner: of each key, what we said last.
-- grain: item_id, ship_to, period_start, period
-- reads: source_demand_forecast, run
-- range: recorded_at <= run.as_of, period_start from run.period_start on; a period_start that
--        cannot be read is kept, to be refused with its reason
--
-- A source is mostly one release of the whole plan, or releases that repeat it. So the newest
-- release goes out as it is, and only what it does not repeat is looked for among the earlier ones:
-- on ten million rows of one release that costs a tenth of a window over all of them. A key twice
-- in one release is kept twice, to be refused. `not materialized` and `>=` (rather than `=`) keep
-- DuckDB from building its hash tables on the big side. No `order by`: sorting would double the
-- time, and the receiver keeps no order.
with
source as not materialized (select * from source_demand_forecast),

asked as not materialized (select * from run),

known as not materialized (
    select source.* replace (cast(source.recorded_at as timestamptz) as recorded_at)
    from source
    inner join asked
        on
            source.partner = asked.partner
            and cast(source.recorded_at as timestamptz) <= asked.as_of
            and coalesce(try_cast(source.period_start as date), date 'infinity')
            >= cast(asked.period_start as date)
),

newest_release as (
    select max(cast(source.recorded_at as timestamptz)) as recorded_at
    from source
    inner join asked
        on
            source.partner = asked.partner
            and cast(source.recorded_at as timestamptz) <= asked.as_of
),

newest as not materialized (
    select known.*
    from known
    inner join newest_release on known.recorded_at >= newest_release.recorded_at
),

earlier as not materialized (
    select known.*
    from known
    inner join newest_release on known.recorded_at < newest_release.recorded_at
),

repeated as not materialized (
    select
        newest.item_id,
        newest.ship_to,
        newest.period_start,
        newest.period
    from newest
    semi join earlier
        on
            newest.item_id = earlier.item_id
            and newest.ship_to = earlier.ship_to
            and newest.period_start = earlier.period_start
            and newest.period = earlier.period
),

not_repeated as not materialized (
    select earlier.*
    from earlier
    anti join repeated
        on
            earlier.item_id = repeated.item_id
            and earlier.ship_to = repeated.ship_to
            and earlier.period_start = repeated.period_start
            and earlier.period = repeated.period
    qualify
        rank() over (
            partition by earlier.item_id, earlier.ship_to, earlier.period_start, earlier.period
            order by earlier.recorded_at desc
        ) = 1
),

said_last as not materialized (
    select * from newest
    union all
    select * from not_repeated
)

select
    item_id,
    ship_to,
    period_start,
    period,
    quantity,
    quantity_low,
    quantity_high,
    commitment,
    unit,
    supplier_item_id,
    note
from said_last
