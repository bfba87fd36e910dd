-- The columns that are measured: by which outcome, as numbers or as classes.
-- grain: kind, column_name
-- reads: nothing
-- range: position is the column's in its contract, from 1; quantile_level is that of a number that is
--        a quantile, else null; who contracts for another witness, or none, is not measured by this
select
    list.kind,
    list.column_name,
    list.witness,
    list.measure,
    list.position,
    list.quantile_level::double as quantile_level
from (
    values
    ('demand_forecast', 'quantity', 'order.quantity', 'numeric', 5, null),
    ('demand_forecast', 'quantity_low', 'order.quantity', 'numeric', 6, 0.1),
    ('demand_forecast', 'quantity_high', 'order.quantity', 'numeric', 7, 0.9),
    ('demand_forecast', 'commitment', 'order.quantity', 'class', 8, null),
    ('delivery_commitment', 'promised_date', 'delivery.arrived_on', 'numeric', 4, null),
    ('delivery_commitment', 'promised_quantity', 'delivery.quantity', 'numeric', 5, null),
    ('delivery_commitment', 'reason', 'delivery.arrived_on', 'class', 8, null),
    ('production_plan', 'planned_quantity', 'delivery.quantity', 'numeric', 4, null),
    ('production_plan', 'capacity_quantity', 'delivery.quantity', 'numeric', 5, null),
    ('inventory', 'quantity', 'delivery.quantity', 'numeric', 6, null),
    ('inventory', 'days_of_supply', 'delivery.quantity', 'numeric', 7, null),
    ('service_cost', 'planned_cost', 'service_cost.actual_cost', 'numeric', 4, null),
    ('service_cost', 'hours', 'service_cost.actual_cost', 'numeric', 6, null),
    ('financial_health', 'equity_ratio', 'delivery.arrived_on', 'numeric', 3, null),
    ('financial_health', 'current_ratio', 'delivery.arrived_on', 'numeric', 4, null),
    ('financial_health', 'quick_ratio', 'delivery.arrived_on', 'numeric', 5, null),
    ('financial_health', 'ebit_margin', 'delivery.arrived_on', 'numeric', 6, null),
    ('financial_health', 'working_capital_days', 'delivery.arrived_on', 'numeric', 7, null),
    ('financial_health', 'payables_days', 'delivery.arrived_on', 'numeric', 8, null),
    ('financial_health', 'interest_cover', 'delivery.arrived_on', 'numeric', 9, null),
    ('disruption', 'effect', 'delivery.quantity', 'class', 4, null)
)
    as list (
        kind, column_name, witness, measure, position, quantile_level
    )
order by list.kind, list.position
