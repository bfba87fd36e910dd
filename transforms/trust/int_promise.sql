-- Promises that fell due, of both kinds, each weighed by its value.
-- grain: partner, direction, promise_kind, promise_id
-- reads: int_promise_firm, int_promise_line
-- range: as what it reads; without a price a promise weighs as one of the partner's average price
with
both_kinds as (
    select * from int_promise_line
    union all
    select * from int_promise_firm
)

select
    * exclude (unit_price, quantity),
    quantity * coalesce(
        unit_price, avg(unit_price) over (partition by partner, direction, promise_kind), 1
    ) as value
from both_kinds
