-- What was due by when and whether it was there: in time, late, refused or missing.
-- grain: agreement_id, period_start
-- reads: due, shipment
-- range: periods whose cut-off has passed; the ledger's own time counts, for what we sent the time
--        at which it was recorded as sent
with
due as (select * from due),

shipment as (select * from shipment),

first_taken as (
    select
        agreement_id,
        period_start,
        min(recorded_at) filter (where outcome is distinct from 'refused') as arrived_at,
        count(*) filter (where outcome = 'refused') as refused
    from shipment
    group by agreement_id, period_start
)

select
    due.agreement_id,
    due.provider,
    due.consumer,
    due.kind,
    due.period_start,
    due.period_end,
    due.cut_off_at,
    first_taken.arrived_at,
    case
        when first_taken.arrived_at <= due.cut_off_at then 'in time'
        when first_taken.arrived_at is not null then 'late'
        when first_taken.refused > 0 then 'refused'
        else 'missing'
    end as state,
    date_diff('second', due.cut_off_at, first_taken.arrived_at) / 3600.0 as hours_after_cut_off
from due
left join first_taken
    on
        due.agreement_id = first_taken.agreement_id
        and due.period_start = first_taken.period_start
order by due.cut_off_at, due.agreement_id, due.period_start
