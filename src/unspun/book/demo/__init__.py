"""The demo company: a simulated business-to-business software company whose truth is known."""

from unspun.book.demo.company import DEMO_ACCOUNTS, DEMO_AS_OF, DEMO_SEED, DemoCompany, make_company, write_demo
from unspun.book.demo.parameters import Parameters

__all__ = ["DEMO_ACCOUNTS", "DEMO_AS_OF", "DEMO_SEED", "DemoCompany", "Parameters", "make_company", "write_demo"]
