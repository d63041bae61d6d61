// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract SetOperatorTest is RegistryTest {
    string private constant SET = "OperatorSet(uint256,address,uint8,uint40,bytes32)";

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.setOperator(UNKNOWN, OUTSIDER, ANCHOR);
    }

    function test_RevertWhen_TheCallerOwnsAnotherIssuer() public {
        _refuseNotOwner(ISSUER, OTHER_OWNER);
        vm.prank(OTHER_OWNER);
        registry.setOperator(ISSUER, OTHER_OWNER, ANCHOR);
    }

    function test_RevertWhen_TheCallerIsAnOperator() public {
        _refuseNotOwner(ISSUER, operator);
        vm.prank(operator);
        registry.setOperator(ISSUER, OUTSIDER, ANCHOR);
    }

    function test_RevertWhen_TheOperatorIsZero() public {
        _refuse(ICredentialRegistry.ZeroAddress.selector);
        _setOperator(address(0), ANCHOR);
    }

    function test_RevertWhen_TheRolesAreUnknown() public {
        for (uint256 roles = 4; roles < 256; ++roles) {
            vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidRoles.selector, roles));
            // forge-lint: disable-next-line(unsafe-typecast) below 256
            _setOperator(OUTSIDER, uint8(roles));
        }
    }

    function test_RevertGiven_TheKeyIsCompromised() public {
        _compromise(operator, START - 5);
        for (uint8 roles = 0; roles <= BOTH; ++roles) {
            _refuseKeyCompromised(operator, START - 5);
            _setOperator(operator, roles);
        }
    }

    function test_RevertWhen_TheRolesAreTheSame() public {
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _setOperator(operator, BOTH);
    }

    function test_RevertWhen_AStrangerGetsNoRoles() public {
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _setOperator(OUTSIDER, 0);
    }

    function test_WhenAStrangerGetsRoles() public {
        _watch(ISSUER);
        _setOperator(OUTSIDER, STATUS);
        _expectLog3(ISSUER, SET, _word(OUTSIDER), abi.encode(STATUS));
        _expectOperator(ISSUER, OUTSIDER, STATUS, 0);
        _expectOperator(OTHER, OUTSIDER, 0, 0);
    }

    function test_WhenTheRolesOfAnOperatorChange() public {
        _watch(ISSUER);
        _setOperator(operator, ANCHOR);
        _expectLog3(ISSUER, SET, _word(operator), abi.encode(ANCHOR));
        _expectOperator(ISSUER, operator, ANCHOR, 0);
    }

    function test_WhenTheRolesOfAnOperatorEnd() public {
        _watch(ISSUER);
        _setOperator(operator, 0);
        _expectLog3(ISSUER, SET, _word(operator), abi.encode(0));
        _expectOperator(ISSUER, operator, 0, 0);
    }
}

contract ReportCompromiseTest is RegistryTest {
    string private constant REPORTED = "OperatorCompromised(uint256,address,uint40,uint40,bytes32)";

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.reportCompromise(UNKNOWN, operator, START);
    }

    function test_RevertWhen_TheCallerOwnsAnotherIssuer() public {
        _refuseNotOwner(ISSUER, OTHER_OWNER);
        vm.prank(OTHER_OWNER);
        registry.reportCompromise(ISSUER, operator, START);
    }

    function test_RevertWhen_TheCallerIsTheKeyItself() public {
        _refuseNotOwner(ISSUER, operator);
        vm.prank(operator);
        registry.reportCompromise(ISSUER, operator, START);
    }

    function test_RevertWhen_TheKeyIsZero() public {
        _refuse(ICredentialRegistry.ZeroAddress.selector);
        _compromise(address(0), START);
    }

    function test_RevertWhen_SinceIsZero() public {
        _refuseSince(0, START);
        _compromise(operator, 0);
    }

    function test_RevertWhen_SinceIsInTheFuture() public {
        _refuseSince(START + 1, START);
        _compromise(operator, START + 1);
    }

    function test_WhenSinceIsNow() public {
        _watch(ISSUER);
        _compromise(operator, START);
        _expectLog3(ISSUER, REPORTED, _word(operator), abi.encode(START));
        _expectOperator(ISSUER, operator, 0, START);
    }

    function test_WhenSinceIsTheFirstSecond() public {
        _watch(ISSUER);
        _compromise(operator, 1);
        _expectLog3(ISSUER, REPORTED, _word(operator), abi.encode(1));
        _expectOperator(ISSUER, operator, 0, 1);
    }

    function test_GivenTheKeyNeverWasAnOperator() public {
        _watch(ISSUER);
        _compromise(OUTSIDER, START - 10);
        _expectLog3(ISSUER, REPORTED, _word(OUTSIDER), abi.encode(START - 10));
        _expectOperator(ISSUER, OUTSIDER, 0, START - 10);
    }

    function test_GivenTheKeyWorksForAnotherIssuerToo() public {
        vm.prank(OTHER_OWNER);
        registry.setOperator(OTHER, operator, BOTH);
        _compromise(operator, START);
        _expectOperator(OTHER, operator, BOTH, 0);
        vm.prank(operator);
        registry.anchor(OTHER, ROOT, SIZE);
        assertEq(
            uint256(registry.statusOf(OTHER, ROOT, 0)),
            uint256(ICredentialRegistry.Standing.Active),
            "the other issuer's anchor"
        );
    }

    function test_RevertWhen_ASecondReportIsLater() public {
        _compromise(operator, START - 100);
        _refuseSince(START - 99, START - 101);
        _compromise(operator, START - 99);
    }

    function test_RevertWhen_ASecondReportIsTheSame() public {
        _compromise(operator, START - 100);
        _refuseSince(START - 100, START - 101);
        _compromise(operator, START - 100);
    }

    function test_RevertWhen_NoEarlierReportIsPossible() public {
        _compromise(operator, 1);
        _refuseSince(1, 0);
        _compromise(operator, 1);
        _refuseSince(0, 0);
        _compromise(operator, 0);
    }

    function test_WhenASecondReportIsEarlier() public {
        _compromise(operator, START - 100);
        _watch(ISSUER);
        _compromise(operator, START - 101);
        _expectLog3(ISSUER, REPORTED, _word(operator), abi.encode(START - 101));
        _expectOperator(ISSUER, operator, 0, START - 101);
    }

    function test_GivenAnchorsBeforeAtAndAfterTheTime() public {
        _anchor(keccak256("before"), 1);
        vm.warp(START + 1);
        _anchor(keccak256("at"), 1);
        vm.warp(START + 2);
        _anchor(keccak256("after"), 1);
        _compromise(operator, START + 1);
        _expectStatus(keccak256("before"), 0, ICredentialRegistry.Standing.Active);
        _expectStatus(keccak256("at"), 0, ICredentialRegistry.Standing.Compromised);
        _expectStatus(keccak256("after"), 0, ICredentialRegistry.Standing.Compromised);
    }

    function _refuseSince(uint40 since, uint40 latest) private {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidSince.selector, since, latest));
    }
}

contract NameBareIssuerTest is RegistryTest {
    string private constant NAMED = "BareIssuerNamed(uint256,address,uint40,bytes32)";

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(operator);
        registry.nameBareIssuer(UNKNOWN);
    }

    function test_RevertWhen_TheIssuerIsZero() public {
        _refuseUnknownIssuer(0);
        vm.prank(operator);
        registry.nameBareIssuer(0);
    }

    function test_RevertWhen_TheCallerIsAStranger() public {
        _refuseMissingRole(ISSUER, OUTSIDER, ANCHOR);
        vm.prank(OUTSIDER);
        registry.nameBareIssuer(ISSUER);
    }

    function test_RevertWhen_TheCallerHasTheStatusRoleOnly() public {
        _refuseMissingRole(ISSUER, KEEPER, ANCHOR);
        vm.prank(KEEPER);
        registry.nameBareIssuer(ISSUER);
    }

    function test_RevertWhen_TheCallerIsTheOwner() public {
        _refuseMissingRole(ISSUER, OWNER, ANCHOR);
        vm.prank(OWNER);
        registry.nameBareIssuer(ISSUER);
    }

    function test_RevertGiven_TheKeyIsCompromised() public {
        _compromise(operator, START);
        _refuseKeyCompromised(operator, START);
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
    }

    function test_RevertWhen_TheIssuerIsNamedAlready() public {
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
        _refuse(ICredentialRegistry.NothingChanges.selector);
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
    }

    function test_WhenTheCallerHasTheAnchorRole() public {
        _watch(ISSUER);
        vm.prank(ANCHORER);
        registry.nameBareIssuer(ISSUER);
        _expectLog3(ISSUER, NAMED, _word(ANCHORER), "");
        assertEq(registry.bareIssuerOf(ANCHORER), ISSUER, "issuer of its bare roots");
        assertEq(registry.bareIssuerOf(operator), 0, "issuer of another key's bare roots");
    }

    function test_WhenAnotherIssuerIsNamed() public {
        vm.prank(OTHER_OWNER);
        registry.setOperator(OTHER, operator, ANCHOR);
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
        bytes32 head = registry.headOf(ISSUER);
        _watch(OTHER);
        vm.prank(operator);
        registry.nameBareIssuer(OTHER);
        _expectLog3(OTHER, NAMED, _word(operator), "");
        assertEq(registry.bareIssuerOf(operator), OTHER, "issuer of its bare roots");
        assertEq(registry.headOf(ISSUER), head, "head of the one named before");
    }
}

contract OperatorOfTest is RegistryTest {
    function test_WhenTheKeyIsAStranger() public view {
        _expectOperator(ISSUER, OUTSIDER, 0, 0);
    }

    function test_WhenTheKeyIsAnOperator() public view {
        _expectOperator(ISSUER, operator, BOTH, 0);
        _expectOperator(ISSUER, ANCHORER, ANCHOR, 0);
        _expectOperator(ISSUER, KEEPER, STATUS, 0);
    }

    function test_GivenTheKeyIsCompromised() public {
        _compromise(operator, START - 1);
        _expectOperator(ISSUER, operator, 0, START - 1);
    }
}

contract BareIssuerOfTest is RegistryTest {
    function test_GivenTheKeyNamedNone() public view {
        assertEq(registry.bareIssuerOf(operator), 0, "issuer");
    }

    function test_GivenTheKeyNamedOne() public {
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
        assertEq(registry.bareIssuerOf(operator), ISSUER, "issuer");
    }

    function test_GivenItsRoleEndedSince() public {
        vm.prank(operator);
        registry.nameBareIssuer(ISSUER);
        _setOperator(operator, 0);
        assertEq(registry.bareIssuerOf(operator), ISSUER, "issuer");
    }
}
