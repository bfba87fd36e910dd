-- What we promised for a partner's order lines, each promise once.
-- grain: order_id, line, commitment_no
-- reads: source_delivery_commitment, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_delivery_commitment),

asked as (select * from run)

select
    source.order_id,
    source.line,
    source.commitment_no,
    source.promised_date,
    source.promised_quantity,
    source.unit,
    source.status,
    source.reason
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.order_id, source.line, source.commitment_no
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.order_id is null
    or source.line is null
    or source.commitment_no is null
order by source.order_id, source.line, source.commitment_no, source.recorded_at
