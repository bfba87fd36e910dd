-- Terms of the kinds that speak of an item's deliveries or orders in a period.
-- grain: partner, direction, kind, column_name, flow, starts_at
-- reads: measured_by, stg_terms
-- range: flow is what the outcome is a sum of; stock of a period speaks of the one after it (ahead);
--        a plan is of weeks, whatever its cadence
with
spoken as (
    select
        list.kind,
        list.flow,
        list.ahead
    from (
        values
        ('production_plan', 'delivery', 0),
        ('inventory', 'delivery', 1),
        ('inventory', 'order', 1),
        ('disruption', 'delivery', 0),
        ('disruption', 'order', 0)
    ) as list (kind, flow, ahead)
)

select
    stg_terms.partner,
    stg_terms.direction,
    stg_terms.kind,
    stg_terms.column_name,
    spoken.flow,
    stg_terms.starts_at,
    stg_terms.ends_at,
    stg_terms.agreement_id,
    measured_by.measure,
    case stg_terms.kind when 'production_plan' then 'week' else stg_terms.period end as period,
    spoken.ahead,
    stg_terms.cadence,
    stg_terms.cut_off_hours
from stg_terms
inner join measured_by using (kind, column_name, witness)
inner join spoken using (kind)
