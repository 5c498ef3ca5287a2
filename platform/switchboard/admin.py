"""The two admin sites: the operators' on the platform's host, the staff's on each tenant's."""

from __future__ import annotations

from unfold.sites import UnfoldAdminSite


class OperatorSite(UnfoldAdminSite):
    site_header = site_title = "Switchboard operators"


class StaffSite(UnfoldAdminSite):
    site_header = site_title = "Switchboard"


operator_site = OperatorSite(name="operators")
staff_site = StaffSite(name="admin")
