-- Financial ratios that landed, every vintage, one row a value.
-- grain: partner, direction, agreement_id, column_name, period_end, arrived_at, shipment_id
-- reads: landed.financial_health, run, stg_shipment
-- range: arrived_at <= run.as_of, and without end for what came after its shipment's cut-off: it is
--        known of and counts for nothing
with
asked as (select as_of from run),

named as (
    select
        unnest([
            'equity_ratio', 'current_ratio', 'quick_ratio', 'ebit_margin',
            'working_capital_days', 'payables_days', 'interest_cover'
        ]) as column_name
),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
)

select
    health.partner,
    'in' as direction,
    health.agreement_id,
    named.column_name,
    health.period_end,
    case when late.shipment_id is null then health.arrived_at else timestamptz 'infinity' end
        as arrived_at,
    health.shipment_id,
    case named.column_name
        when 'equity_ratio' then health.equity_ratio
        when 'current_ratio' then health.current_ratio
        when 'quick_ratio' then health.quick_ratio
        when 'ebit_margin' then health.ebit_margin
        when 'working_capital_days' then health.working_capital_days
        when 'payables_days' then health.payables_days
        when 'interest_cover' then health.interest_cover
    end::double as value
from landed.financial_health as health
cross join asked
cross join named
left join late on health.partner = late.partner and health.shipment_id = late.shipment_id
where health.arrived_at <= asked.as_of
