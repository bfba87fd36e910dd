-- What was told of an item and period in time: of each site the newest word, put together.
-- grain: partner, direction, kind, column_name, flow, item_id, period, period_no
-- reads: int_item_due, stg_inventory, stg_production_plan
-- range: due cells of which anything ever came; f is null where nothing came in time; quantities of
--        sites are added, and of days of supply the shortest counts
with
due as (
    select * from int_item_due
    where measure = 'numeric'
),

agreed as (
    select distinct
        partner,
        direction,
        kind,
        agreement_id,
        period
    from due
),

said as (
    select
        * exclude (period_start),
        'production_plan' as kind,
        'delivery' as flow,
        period_start as day
    from stg_production_plan
    union all by name
    select
        * exclude (as_of),
        'inventory' as kind,
        as_of as day
    from stg_inventory
),

numbered as (
    select
        said.*,
        agreed.period,
        case agreed.period
            when 'day' then date_diff('day', date '1970-01-05', said.day)
            when 'month' then date_diff('month', date '1970-01-01', said.day)
            else date_diff('week', date '1970-01-05', said.day)
        end as told_no
    from said
    inner join agreed using (partner, direction, kind, agreement_id)
    where said.value is not null
),

by_site as (
    select
        due.partner,
        due.direction,
        due.kind,
        due.column_name,
        due.flow,
        due.item_id,
        due.period,
        due.period_no,
        numbered.site_id,
        -- Of stock the newest day counts, of a plan the newest word.
        arg_max(
            numbered.value, (numbered.day, numbered.arrived_at, numbered.shipment_id)
        ) filter (where numbered.arrived_at <= due.cut_off_at) as value,
        min(numbered.arrived_at) as first_arrived_at
    from due
    inner join numbered
        using (partner, direction, kind, agreement_id, column_name, flow, item_id, period, told_no)
    group by
        due.partner, due.direction, due.kind, due.column_name, due.flow, due.item_id, due.period,
        due.period_no, numbered.site_id
)

select
    partner,
    direction,
    kind,
    column_name,
    flow,
    item_id,
    period,
    period_no,
    case column_name when 'days_of_supply' then min(value) else sum(value) end as f,
    min(first_arrived_at) as first_arrived_at
from by_site
group by partner, direction, kind, column_name, flow, item_id, period, period_no
