-- What was promised for order lines, every vintage, by the partner or (as supplier) by us.
-- grain: partner, direction, order_id, line, commitment_no, arrived_at, shipment_id
-- reads: landed.delivery_commitment, own.delivery_commitment, run, stg_shipment
-- range: arrived_at <= run.as_of, and without end for what came after its shipment's cut-off; a
--        declined line promises zero and no date
with
asked as (select as_of from run),

known as (
    select
        *,
        'partner' as promised_by
    from landed.delivery_commitment
    union all by name
    select
        *,
        'us' as promised_by
    from own.delivery_commitment
),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
)

select
    known.partner,
    'in' as direction,
    known.order_id,
    known.line,
    known.commitment_no,
    case when late.shipment_id is null then known.arrived_at else timestamptz 'infinity' end
        as arrived_at,
    known.shipment_id,
    known.agreement_id,
    known.promised_by,
    known.promised_date,
    case when known.status = 'declined' then 0 else known.promised_quantity end::double
        as promised_quantity,
    known.reason
from known
cross join asked
left join late
    on
        known.partner = late.partner
        and known.shipment_id = late.shipment_id
        and known.promised_by = 'partner'
where known.arrived_at <= asked.as_of
