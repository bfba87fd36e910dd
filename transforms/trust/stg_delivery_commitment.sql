-- What was promised for order lines, every vintage, by the partner or (as supplier) by us.
-- grain: partner, direction, order_id, line, commitment_no, arrived_at, shipment_id
-- reads: landed.delivery_commitment, own.delivery_commitment, run
-- range: arrived_at <= run.as_of; a declined line promises zero and no date
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
)

select
    partner,
    'in' as direction,
    order_id,
    line,
    commitment_no,
    arrived_at,
    shipment_id,
    agreement_id,
    promised_by,
    promised_date,
    case when status = 'declined' then 0 else promised_quantity end::double as promised_quantity
from known
cross join asked
where arrived_at <= asked.as_of
