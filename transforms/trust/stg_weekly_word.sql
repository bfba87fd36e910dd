-- Plans and stocks that landed, every vintage: what was said of an item's week, a row a value.
-- grain: partner, direction, kind, column_name, agreement_id, item_id, place, week_no, arrived_at,
--        shipment_id
-- reads: landed.inventory, landed.production_plan, run, stg_shipment
-- range: arrived_at <= run.as_of, and without end for what came after its shipment's cut-off; stock
--        speaks of the week that follows its count; what is blocked is no stock
with
asked as (select as_of from run),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
),

plan as (
    unpivot (
        select
            partner,
            agreement_id,
            shipment_id,
            arrived_at,
            item_id,
            site_id as place,
            date_diff('week', date '1970-01-05', period_start) as week_no,
            planned_quantity::double as planned_quantity,
            capacity_quantity::double as capacity_quantity
        from landed.production_plan
    )
    on planned_quantity, capacity_quantity
    into name column_name value value
),

stock as (
    unpivot (
        select
            partner,
            agreement_id,
            shipment_id,
            arrived_at,
            item_id,
            concat_ws('/', site_id, direction, as_of) as place,
            date_diff('week', date '1970-01-05', as_of + 6) as week_no,
            quantity::double as quantity,
            days_of_supply::double as days_of_supply
        from landed.inventory
        where not coalesce(blocked, false)
    )
    on quantity, days_of_supply
    into name column_name value value
),

word as (
    select
        *,
        'production_plan' as kind
    from plan
    union all
    select
        *,
        'inventory' as kind
    from stock
)

select
    word.partner,
    'in' as direction,
    word.kind,
    word.column_name,
    word.agreement_id,
    word.item_id,
    word.place,
    word.week_no,
    word.shipment_id,
    word.value,
    case when late.shipment_id is null then word.arrived_at else timestamptz 'infinity' end
        as arrived_at
from word
cross join asked
left join late on word.partner = late.partner and word.shipment_id = late.shipment_id
where word.arrived_at <= asked.as_of
