-- Notices of disruptions that landed: each state of each, and the items that it is about.
-- grain: partner, direction, agreement_id, notice_id, status_no, told_at, shipment_id, item_id
-- reads: landed.disruption, run, stg_shipment
-- range: told_at <= run.as_of; arrived_at is without end for what came after its shipment's cut-off;
--        item_id is empty for all that the two trade, ends_on null while nobody knows
with
asked as (select as_of from run),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
),

notice as (
    select
        told.*,
        case when late.shipment_id is null then told.arrived_at else timestamptz 'infinity' end
            as counted_at,
        string_split(coalesce(told.items, ''), ';') as item_ids
    from landed.disruption as told
    cross join asked
    left join late on told.partner = late.partner and told.shipment_id = late.shipment_id
    where told.arrived_at <= asked.as_of
),

named as (
    select
        * exclude (item_ids),
        trim(unnest(list_distinct(item_ids))) as item_id
    from notice
)

select
    partner,
    'in' as direction,
    agreement_id,
    notice_id,
    status_no,
    arrived_at as told_at,
    counted_at as arrived_at,
    shipment_id,
    item_id,
    effect,
    coalesce(start, arrived_at::date) as starts_on,
    case
        when status = 'resolved' then coalesce(expected_end, arrived_at::date)
        else expected_end
    end as ends_on
from named
